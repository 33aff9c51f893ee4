-- Stores a reply. KEYS: message. ARGV: digest, token, age in milliseconds, reply. Returns 0 if the claim has run out.
local digest, token, age, reply = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if isOnly(redis.call('GET', KEYS[1]), digest, token) then
  redis.call('SET', KEYS[1], content(digest, 0, token, reply), 'PX', age)
  return 1
end
local list, now = load(KEYS[1])
for _, c in ipairs(list) do
  if c.digest == digest and c.token == token then
    c.reply, c.ends = reply, now + age
    save(KEYS[1], list, now)
    return 1
  end
end
return 0
