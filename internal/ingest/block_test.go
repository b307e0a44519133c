package ingest

import (
	"reflect"
	"testing"

	"repute/delivery"
)

// A block keeps each text of an event that lies in the parser's memory: one
// that is forgotten would turn into a later line's.
func TestKeep(t *testing.T) {
	b := &block{text: []byte("a line of the block")}
	var e delivery.Event
	n := 0
	eachText(reflect.ValueOf(&e).Elem(), func(text reflect.Value) {
		n++
		text.SetBytes([]byte("parser"))
	})
	e.Host = b.text[:6]
	var before [][]byte
	eachText(reflect.ValueOf(&e).Elem(), func(text reflect.Value) { before = append(before, text.Bytes()) })
	b.keep(&e)
	for _, text := range before[1:] {
		copy(text, "gone!!")
	}
	eachText(reflect.ValueOf(&e).Elem(), func(text reflect.Value) {
		if got := string(text.Bytes()); got != "parser" && got != "a line" {
			t.Errorf("a text is %q after the parser went on", got)
		}
	})
	if n < 15 || &e.Host[0] != &b.text[0] {
		t.Errorf("%d texts; what lies in the block is copied: %v", n, &e.Host[0] != &b.text[0])
	}
}

// eachText calls do for each []byte in a struct and the structs in it.
func eachText(v reflect.Value, do func(reflect.Value)) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Type() == reflect.TypeFor[[]byte]():
			do(f)
		case f.Kind() == reflect.Struct:
			eachText(f, do)
		}
	}
}
