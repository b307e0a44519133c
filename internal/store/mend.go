package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// DuckDB keeps what a checkpoint writes about tables in blocks that hold what
// the one before wrote, too, and writes such a block anew in its place. Where
// the power fails within that, the block is in part the old and in part the
// new one. All that the database still stands on is alike in both; only the
// checksum is of neither, and so the database does not open. The log of changes
// is still there then: it goes at the checkpoint's end.

// damagedBlock is what DuckDB says of it.
var damagedBlock = regexp.MustCompile(`computed checksum (\d+) does not match stored checksum (\d+) in block at location (\d+)`)

// mendBlocks makes the checksums anew of blocks that were written in part and so
// keep a database from opening. The blocks as they were are put aside. The
// database must then open and pass Verify, or all is left as it was. It tells
// what it did; nothing if it did nothing.
func mendBlocks(ctx context.Context, path string, o Options, damaged *DamagedError) (done []string, err error) {
	if info, err := os.Stat(path + ".wal"); err != nil || info.Size() == 0 {
		return nil, nil // no checkpoint was under way
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	was := map[int64][]byte{} // the blocks, by their place
	for fault := error(damaged); fault != nil; fault = sound(ctx, path, o) {
		at, block := writtenInPart(f, fault)
		if block == nil || was[at] != nil {
			for at, block := range was {
				err = errors.Join(err, writeSynced(f, block, at))
			}
			return nil, err
		}
		was[at] = bytes.Clone(block)
		binary.LittleEndian.PutUint64(block, checksum(block))
		if err := writeSynced(f, block, at); err != nil {
			return nil, err
		}
	}
	for at, block := range was {
		aside := fmt.Sprintf("%s.block-%d.damaged-%d", path, at, time.Now().Unix())
		if err := os.WriteFile(aside, block, 0o600); err != nil {
			return nil, err
		}
		done = append(done, fmt.Sprintf("the block at byte %d of %s had been written in part and has a new checksum; as it was it is put aside as %s", at, path, aside))
	}
	return append(done, "the database opens again, and adds up"), nil
}

// writtenInPart reads the block of which DuckDB tells that its checksum is
// wrong; nil where it tells something else, or the disk is to blame.
func writtenInPart(f *os.File, fault error) (at int64, block []byte) {
	var damaged *DamagedError
	if !errors.As(fault, &damaged) {
		return 0, nil
	}
	m := damagedBlock.FindStringSubmatch(damaged.Error())
	if m == nil {
		return 0, nil
	}
	computed, err1 := strconv.ParseUint(m[1], 10, 64)
	stored, err2 := strconv.ParseUint(m[2], 10, 64)
	at, err3 := strconv.ParseInt(m[3], 10, 64)
	if errors.Join(err1, err2, err3) != nil {
		return 0, nil
	}
	block = blockAt(f, at, computed)
	if block == nil || oneBit(block, computed^stored) {
		return 0, nil
	}
	return at, block
}

// blockAt reads the block at a place, of the size for which DuckDB's checksum
// is the one it told; nil if none of ours is.
func blockAt(f *os.File, at int64, computed uint64) []byte {
	for _, size := range []int{64 << 10, 256 << 10} { // see layout; DuckDB's own
		block := make([]byte, size)
		if n, _ := f.ReadAt(block, at); n == size && checksum(block) == computed {
			return block
		}
	}
	return nil
}

const checksumFactor = 0xbf58476d1ce4e5b9

// checksum is DuckDB's of a block: of all that follows the eight bytes in which
// it is stored.
func checksum(block []byte) uint64 {
	sum := uint64(5381)
	for i := 8; i < len(block); i += 8 {
		sum ^= binary.LittleEndian.Uint64(block[i:]) * checksumFactor
	}
	return sum
}

// oneBit tells whether a single bit that turned makes a checksum differ so: then
// what the block holds is not what was written.
func oneBit(block []byte, differs uint64) bool {
	for i := 8; i < len(block); i += 8 {
		word := binary.LittleEndian.Uint64(block[i:])
		for bit := range 64 {
			if word*checksumFactor^(word^1<<bit)*checksumFactor == differs {
				return true
			}
		}
	}
	return false
}

func writeSynced(f *os.File, block []byte, at int64) error {
	_, err := f.WriteAt(block, at)
	return errors.Join(err, f.Sync())
}

// sound opens a database and verifies it; nil if nothing is wrong. It is opened
// to be read only, so that nothing of it is changed.
func sound(ctx context.Context, path string, o Options) error {
	o.ReadOnly = true
	s, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	faults, err := s.Verify(ctx)
	if len(faults) > 0 {
		err = errors.New("it does not add up")
	}
	return errors.Join(err, s.Close())
}
