-- Claims a message. KEYS: message, signature. ARGV: digest, owner of the signature ('' for no signature), token, age and
-- lease in milliseconds. Returns the state, and 1 for a conflict of a new message or the reply of a finished one.
local digest, owner, token, age, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if owner ~= '' and not redis.call('SET', KEYS[2], owner, 'NX', 'PX', age) and redis.call('GET', KEYS[2]) ~= owner then
  return {'recut'}
end
if redis.call('SET', KEYS[1], content(digest, 0, token, ''), 'NX', 'PX', lease) then
  return {'new', 0}
end
local list, now = load(KEYS[1])
local conflict, isOwn = 0, false
for _, c in ipairs(list) do
  if c.digest ~= digest then
    conflict = 1
  elseif c.token == token then -- the client sends the script again
    isOwn = true
  elseif c.reply == '' then
    return {'running'}
  else
    return {'finished', c.reply}
  end
end
if not isOwn then
  list[#list + 1] = {digest = digest, ends = now + lease, token = token, reply = ''}
  save(KEYS[1], list, now)
end
return {'new', conflict}
