package follow

import (
	"net"
	"strconv"
	"time"
)

// Notify tells systemd how the daemon does (sd_notify(3)): READY=1, STOPPING=1,
// WATCHDOG=1. env is asked for NOTIFY_SOCKET; where there is none it does
// nothing.
func Notify(env func(string) string, state string) error {
	path := env("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if path[0] == '@' { // an abstract socket
		path = "\x00" + path[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}

// WatchdogEvery is how often systemd wants a sign of life: half of
// WatchdogSec=. 0 where it wants none.
func WatchdogEvery(env func(string) string) time.Duration {
	micros, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	if err != nil || micros <= 0 {
		return 0
	}
	return time.Duration(micros) * time.Microsecond / 2
}
