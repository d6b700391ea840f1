"""Which Redis commands read, and which write no further than the index of their connection."""

from enum import Enum


class Access(Enum):
    """How far the commands of one connection may reach."""

    FULL = "everything"
    OWN_INDEX = "reading, and writing in its own index"
    READ = "reading"


def access_for(index: int, *, minimum_write_index: int | None) -> Access:
    """Place a connection: with a minimum, indexes below it are for reading alone."""
    if minimum_write_index is None:
        return Access.FULL
    return Access.OWN_INDEX if index >= minimum_write_index else Access.READ


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# KEYS is left out on purpose: it stalls every other client; SCAN does not. So is RESET, which
# leaves a connection on index 0, and MONITOR, which shows other people's passwords.
READS = _names("""
    bitcount bitfield_ro bitpos dbsize dump exists expiretime geodist geohash geopos georadius_ro
    georadiusbymember_ro geosearch get getbit getrange hexists hexpiretime hget hgetall hkeys hlen
    hmget hpexpiretime hpttl hrandfield hscan hstrlen httl hvals lcs lindex llen lolwut lpos lrange
    memory|usage mget object|encoding object|freq object|idletime object|refcount pexpiretime
    pfcount pttl randomkey scan scard sdiff sinter sintercard sismember smembers smismember sort_ro
    srandmember sscan strlen substr sunion touch ttl type xinfo|consumers xinfo|groups xinfo|stream
    xlen xpending xrange xread xrevrange zcard zcount zdiff zinter zintercard zlexcount zmscore
    zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore
    zrevrank zscan zscore zunion
""")
# About the server and the connection itself; Redis does not flag them as reads or writes.
HARMLESS = _names("""
    acl|cat acl|dryrun acl|list acl|users acl|whoami auth client|getname client|getredir client|id
    client|info client|list client|setinfo client|setname client|trackinginfo cluster|info
    cluster|keyslot cluster|myid cluster|nodes cluster|shards cluster|slots command command|count
    command|docs command|getkeys command|getkeysandflags command|info command|list config|get
    discard echo exec function|list function|stats hello info lastsave latency|doctor
    latency|histogram latency|history latency|latest memory|doctor memory|stats module|list multi
    ping psubscribe pubsub|channels pubsub|numpat pubsub|numsub pubsub|shardchannels
    pubsub|shardnumsub punsubscribe quit readonly role script|exists slowlog|get slowlog|len
    ssubscribe subscribe sunsubscribe time unsubscribe unwatch wait watch
""")
# Without what reaches another index or all of them: COPY, MOVE, SWAPDB, FLUSHALL, MIGRATE,
# libraries of functions, and PUBLISH, as channels know no index. Scripts are our own.
WRITES_IN_INDEX = _names("""
    append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin decr decrby
    del eval evalsha expire expireat flushdb geoadd georadius georadiusbymember geosearchstore
    getdel getex getset hdel hexpire hexpireat hgetdel hgetex hincrby hincrbyfloat hmset hpersist
    hpexpire hpexpireat hset hsetex hsetnx incr incrby incrbyfloat linsert lmove lmpop lpop lpush
    lpushx lrem lset ltrim mset msetnx persist pexpire pexpireat pfadd pfmerge psetex rename
    renamenx restore rpop rpoplpush rpush rpushx sadd script|load sdiffstore set setbit setex setnx
    setrange sinterstore smove sort spop srem sunionstore unlink xack xadd xautoclaim xclaim xdel
    xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid xreadgroup
    xsetid xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem
    zremrangebylex zremrangebyrank zremrangebyscore zunionstore
""")
_ALLOWED = {
    Access.READ: READS | HARMLESS,
    Access.OWN_INDEX: READS | HARMLESS | WRITES_IN_INDEX,
}


def allowed(words: tuple[str, ...], access: Access, *, index: int) -> bool:
    """Judge one command by its first words; what is unknown is not allowed."""
    if access is Access.FULL:
        return True
    name = words[0].lower() if words else ""
    if name == "select":
        return words[1:2] == (str(index),)
    return bool(_ALLOWED[access] & {name, f"{name}|{words[1].lower()}" if words[1:] else name})
