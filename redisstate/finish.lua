-- Stores a reply. KEYS: message. ARGV: digest, token, age and lease in milliseconds, reply. Returns 0 if the message
-- belongs to another claim now.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.match(held, '^%d+ (%S+)') ~= ARGV[2] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + ARGV[3]) .. ARGV[2] .. ' ' .. ARGV[5])
redis.call('PEXPIRE', KEYS[1], math.max(ARGV[3], ARGV[4]))
return 1
