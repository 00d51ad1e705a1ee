# Stops a Postgres of tests when nobody has needed it for some seconds, and deletes it.
# $1 folder of the lock files, $2 data directory
idle_seconds=5
exec 7>"$1/janitor.lock" 8>"$1/users.lock" 9>"$1/start.lock"
flock -n -x 7 || exit 0
while :; do
    flock -x 8
    flock -u 8
    sleep "$idle_seconds"
    # Nobody starts while we hold 9, and nobody uses it when we get 8 at once.
    flock -n -x 9 || continue
    if flock -n -x 8; then
        break
    fi
    flock -u 9
done
home=$(cat "$2/postgres-location" 2>/dev/null || readlink -f "$2/postgres")
pid=$(head -n 1 "$home/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$home/data" ]; then
    kill -INT "$pid"
    waited=0
    while [ -e "/proc/$pid/cwd" ] && [ "$waited" -lt 100 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    if [ -e "/proc/$pid/cwd" ]; then
        kill -KILL "$pid"
    fi
fi
if [ -n "$home" ]; then
    rm -rf "$home"
fi
rm -rf "$2"
