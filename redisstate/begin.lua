-- Claims a message. KEYS: message, signature. ARGV: digest, owner of the signature ('' for no signature), token, age and
-- lease in milliseconds. Returns the state, and 1 for a conflict of a new message or the reply of a finished one.
local digest, owner, token, age, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if owner ~= '' and not redis.call('SET', KEYS[2], owner, 'NX', 'PX', age) and redis.call('GET', KEYS[2]) ~= owner then
  return {'recut'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A content of the message is kept as "UNTIL TOKEN REPLY", without a reply while it runs.
local conflict = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local ends, held, reply = string.match(all[i + 1], '^(%d+) (%S+) (.*)$')
  local over = tonumber(ends) <= now
  if all[i] ~= digest then
    if over then
      redis.call('HDEL', KEYS[1], all[i])
    else
      conflict = 1
    end
  elseif not over and held ~= token then -- the token is known if the client sends the script again
    if reply == '' then
      return {'running'}
    end
    return {'finished', reply}
  end
end
redis.call('HSET', KEYS[1], digest, string.format('%.0f %s ', now + lease, token))
redis.call('PEXPIRE', KEYS[1], math.max(age, lease)) -- the times inside decide
return {'new', conflict}
