package inference

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"repute/delivery"
)

// A snapshot is all that a model knows at the end of a day, so that another
// can go on from there: the same bits come out. It is walked by reflection, so
// that a new field of the state can't be forgotten.

// notState are the fields of Model that are not in a snapshot: what New sets,
// and room for work.
func notState(field string) bool {
	switch field {
	case "cfg", "block", "shifted", "sums", "dayEnds":
		return true
	}
	return false
}

// OnDayEnd adds what is called when all days before next have ended and
// nothing of next was taken in: the moment for a Snapshot.
func (m *Model) OnDayEnd(call func(next time.Time)) { m.dayEnds = append(m.dayEnds, call) }

// Snapshot returns the state. It is for OnDayEnd alone.
func (m *Model) Snapshot() []byte {
	var out []byte
	walkState(m, func(v reflect.Value) { out = encode(out, v) })
	return out
}

var errSnapshot = errors.New("a model's snapshot is cut short")

// Restore puts a new model of the same configuration into the state of a
// Snapshot of the same Layout, taken when the days before next had ended.
// Signals are given anew; those of the days before next were taken in.
func (m *Model) Restore(state []byte, next time.Time, signals []delivery.Signal) (err error) {
	defer func() {
		if recover() != nil { // an index or a length that can't be
			err = errSnapshot
		}
	}()
	d := decoder{state}
	walkState(m, func(v reflect.Value) { d.decode(v, m.cfg.Zone) })
	if len(d.b) > 0 {
		return errSnapshot
	}
	m.link(m.open)
	m.link(m.changes)
	m.folder.waiting = nil
	m.AddSignals(signals)
	last := next.AddDate(0, 0, -1)
	for w := &m.folder.waiting; len(*w) > 0 && (*w)[0].Day < signalsEnd(last); {
		*w = (*w)[1:]
	}
	return nil
}

// Taken are the signals that a model has taken in when the days before next
// have ended.
func Taken(signals []delivery.Signal, next time.Time) (out []delivery.Signal) {
	for _, s := range signals {
		if s.Day < signalsEnd(next.AddDate(0, 0, -1)) {
			out = append(out, s)
		}
	}
	return out
}

// Layout tells models apart that can't read each other's snapshots: by what
// their state is made of and by their configuration.
func (c Config) Layout() string {
	h := fnv.New64a()
	zone := c.Zone.String()
	c.Zone = nil
	fmt.Fprintf(h, "%s %+v ", zone, c)
	describe(h.Write, reflect.TypeFor[Model](), map[reflect.Type]bool{})
	return strconv.FormatUint(h.Sum64(), 16)
}

func describe(write func([]byte) (int, error), t reflect.Type, seen map[reflect.Type]bool) {
	write([]byte(t.String() + " "))
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if t == reflect.TypeFor[Model]() && notState(f.Name) {
				continue
			}
			write([]byte(f.Name + ":"))
			describe(write, f.Type, seen)
		}
	case reflect.Slice, reflect.Array, reflect.Pointer:
		describe(write, t.Elem(), seen)
	case reflect.Map:
		describe(write, t.Key(), seen)
		describe(write, t.Elem(), seen)
	}
}

func walkState(m *Model, visit func(reflect.Value)) {
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		if !notState(v.Type().Field(i).Name) {
			visit(open(v.Field(i)))
		}
	}
}

// open lifts the guard of a field that is not exported.
func open(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// isLink tells whether a field only points at another part of the state: that
// of a change to its pair, which Restore ties again.
func isLink(v reflect.Value, i int) bool {
	return v.Type() == reflect.TypeFor[Change]() && v.Type().Field(i).Type == reflect.TypeFor[*pair]()
}

// link ties changes to their pairs.
func (m *Model) link(list []Change) {
	for i := range list {
		ip, ok1 := m.ipID[list[i].IP]
		recv, ok2 := m.recvID[list[i].Receiver]
		if id, ok := m.pairID[[2]int{ip, recv}]; ok && ok1 && ok2 {
			list[i].pair = m.pairs[id]
		}
	}
}

func encode(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(b, v.Uint())
	case reflect.Float32, reflect.Float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case reflect.String:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		return append(b, v.String()...)
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return encode(append(b, 1), v.Elem())
	case reflect.Slice:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		for i := range v.Len() {
			b = encode(b, v.Index(i))
		}
		return b
	case reflect.Array:
		for i := range v.Len() {
			b = encode(b, v.Index(i))
		}
		return b
	case reflect.Map:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		for k, e := range v.Seq2() {
			b = encode(encode(b, k), e)
		}
		return b
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			if t.IsZero() {
				return append(b, 0)
			}
			return binary.AppendVarint(append(b, 1), t.UnixNano())
		}
		for i := range v.NumField() {
			if !isLink(v, i) {
				b = encode(b, open(v.Field(i)))
			}
		}
		return b
	}
	panic("a model's state has a " + v.Type().String() + ", which a snapshot can't hold")
}

type decoder struct{ b []byte }

func (d *decoder) byte() byte {
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) varint() int64 {
	x, n := binary.Varint(d.b)
	d.b = d.b[n:]
	return x
}

// length is that of a list; each of its elements takes a byte at least.
func (d *decoder) length() int {
	x, n := binary.Uvarint(d.b)
	d.b = d.b[n:]
	if x > uint64(len(d.b)) {
		panic(errSnapshot)
	}
	return int(x)
}

func (d *decoder) decode(v reflect.Value, zone *time.Location) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.byte() == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(d.varint())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		x, n := binary.Uvarint(d.b)
		d.b = d.b[n:]
		v.SetUint(x)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(d.b)))
		d.b = d.b[8:]
	case reflect.String:
		n := d.length()
		v.SetString(string(d.b[:n]))
		d.b = d.b[n:]
	case reflect.Pointer:
		if d.byte() == 1 {
			v.Set(reflect.New(v.Type().Elem()))
			d.decode(v.Elem(), zone)
		}
	case reflect.Slice:
		n := d.length()
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			d.decode(v.Index(i), zone)
		}
	case reflect.Array:
		for i := range v.Len() {
			d.decode(v.Index(i), zone)
		}
	case reflect.Map:
		n := d.length()
		v.Set(reflect.MakeMapWithSize(v.Type(), n))
		for range n {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			d.decode(k, zone)
			d.decode(e, zone)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			if d.byte() == 1 {
				v.Set(reflect.ValueOf(time.Unix(0, d.varint()).In(zone)))
			}
			return
		}
		for i := range v.NumField() {
			if !isLink(v, i) {
				d.decode(open(v.Field(i)), zone)
			}
		}
	}
}
