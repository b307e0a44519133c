package config

import (
	"reflect"
	"testing"
)

// keysOf lists the toml names of v's fields, those of nested tables included.
func keysOf(t *testing.T, v any) []string {
	t.Helper()
	var keys []string
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		if typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for f := range typ.Fields() {
			if key := f.Tag.Get("toml"); key != "" && key != "-" {
				keys = append(keys, key)
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeOf(v))
	if len(keys) < 40 {
		t.Fatalf("only %d keys found", len(keys))
	}
	return keys
}
