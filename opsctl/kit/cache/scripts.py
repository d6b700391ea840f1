"""Lua scripts: what must happen in Redis in one step."""

from opsctl.systems.redis.target import RedisScript

# The value with its TTL, or the lock to compute it: 1 for the first caller, 0 for all others.
CLAIM = RedisScript("""
local value = redis.call('GET', KEYS[1])
if value then return {value, redis.call('PTTL', KEYS[1])} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
""")

# Only the holder of the lock stores: whoever changed or deleted the key deleted the lock too.
STORE = RedisScript("""
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 1
""")

# Wakes those who wait, so that one of them can compute.
RELEASE = RedisScript("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1
""")

# A number and its TTL are set together: a crash in between leaves no key without a TTL.
COUNT = RedisScript("""
local number = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return number
""")
