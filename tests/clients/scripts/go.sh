GOCACHE=$PWD/go GOFLAGS=-mod=mod go run "$SCRIPTS/netsmtp.go"
