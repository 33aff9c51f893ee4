-- Forgets a claim. KEYS: message, signature. ARGV: digest, token, and 1 to forget the signature. What belongs to another
-- claim stays.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.match(held, '^%d+ (%S+)') == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  if ARGV[3] == '1' then
    redis.call('DEL', KEYS[2])
  end
end
return 1
