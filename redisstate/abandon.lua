-- Forgets a claim. KEYS: message, signature. ARGV: digest, token, and 1 to forget the signature. What belongs to another
-- claim stays.
local digest, token = ARGV[1], ARGV[2]
local isHeld = isOnly(redis.call('GET', KEYS[1]), digest, token)
if isHeld then
  redis.call('DEL', KEYS[1])
else
  local list, now = load(KEYS[1])
  for i, c in ipairs(list) do
    if c.digest == digest and c.token == token then
      table.remove(list, i)
      save(KEYS[1], list, now)
      isHeld = true
      break
    end
  end
end
if isHeld and ARGV[3] == '1' then
  redis.call('DEL', KEYS[2])
end
return 1
