package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// The driver's appender takes a row of boxed values at a time. For the tables
// that grow with each line that is most of the cost of a row, so that their
// columns are written straight into DuckDB's vectors.

// column writes one column of some rows into a vector.
type column[T any] struct {
	is    mapping.Type
	write func(mapping.Vector, []T)
}

// number is what vectors hold as it is in memory.
type number interface {
	bool | uint8 | int16 | int32 | uint32 | int64 | uint64
}

// numbers is a column of numbers.
func numbers[T any, N number](get func(*T) N) column[T] {
	return column[T]{typeOf[N](), func(v mapping.Vector, rows []T) {
		cells := unsafe.Slice((*N)(mapping.VectorGetData(v)), len(rows))
		for i := range rows {
			cells[i] = get(&rows[i])
		}
	}}
}

func typeOf[N number]() mapping.Type {
	var n N
	switch any(n).(type) {
	case bool:
		return mapping.TypeBoolean
	case uint8:
		return mapping.TypeUTinyInt
	case int16:
		return mapping.TypeSmallInt
	case int32:
		return mapping.TypeInteger
	case uint32:
		return mapping.TypeUInteger
	case int64:
		return mapping.TypeBigInt
	}
	return mapping.TypeUBigInt
}

// texts is a column of text. What is no UTF-8 in it becomes "?".
func texts[T any](get func(*T) string) column[T] {
	return column[T]{mapping.TypeVarchar, func(v mapping.Vector, rows []T) {
		for i := range rows {
			mapping.VectorAssignStringElement(v, mapping.IdxT(i), strings.ToValidUTF8(get(&rows[i]), "?"))
		}
	}}
}

// table is one table being filled, a chunk of rows at a time. The columns are
// all of the table's, in its order.
type table[T any] struct {
	name     string
	columns  []column[T]
	appender mapping.Appender
	types    []mapping.LogicalType
	chunk    mapping.DataChunk
}

// openTable begins to fill a table, within the connection's transaction.
func openTable[T any](c driver.Conn, name string, columns []column[T]) (*table[T], error) {
	conn, err := handle(c)
	if err != nil {
		return nil, err
	}
	t := &table[T]{name: name, columns: columns}
	if mapping.AppenderCreate(conn, "", name, &t.appender) == mapping.StateError {
		err = t.failed()
	} else if t.types, err = typesOf(t.appender, columns); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	t.chunk = mapping.CreateDataChunk(t.types)
	return t, nil
}

func (t *table[T]) failed() error {
	return fmt.Errorf("%s: %s", t.name, mapping.AppenderError(t.appender))
}

// add adds rows.
func (t *table[T]) add(rows []T) error {
	for size := int(mapping.VectorSize()); len(rows) > 0; {
		n := min(size, len(rows))
		mapping.DataChunkReset(t.chunk)
		for i := range t.columns {
			t.columns[i].write(mapping.DataChunkGetVector(t.chunk, mapping.IdxT(i)), rows[:n])
		}
		mapping.DataChunkSetSize(t.chunk, mapping.IdxT(n))
		if mapping.AppendDataChunk(t.appender, t.chunk) == mapping.StateError {
			return t.failed()
		}
		rows = rows[n:]
	}
	return nil
}

// flush hands what was added over to the transaction.
func (t *table[T]) flush() error {
	if mapping.AppenderFlush(t.appender) == mapping.StateError {
		return t.failed()
	}
	return nil
}

// close gives the memory back. What was not flushed is lost.
func (t *table[T]) close() {
	if t.chunk.Ptr != nil {
		mapping.DestroyDataChunk(&t.chunk)
	}
	for i := range t.types {
		mapping.DestroyLogicalType(&t.types[i])
	}
	mapping.AppenderDestroy(&t.appender)
}

// appendChunks fills one table.
func appendChunks[T any](c driver.Conn, name string, rows []T, columns []column[T]) error {
	if len(rows) == 0 {
		return nil
	}
	t, err := openTable(c, name, columns)
	if err != nil {
		return err
	}
	defer t.close()
	return errors.Join(t.add(rows), t.flush())
}

// typesOf returns the types of a table's columns, if they are those that will
// be written.
func typesOf[T any](a mapping.Appender, columns []column[T]) ([]mapping.LogicalType, error) {
	if n := int(mapping.AppenderColumnCount(a)); n != len(columns) {
		return nil, fmt.Errorf("the table has %d columns, %d are written", n, len(columns))
	}
	var types []mapping.LogicalType
	for i := range columns {
		t := mapping.AppenderColumnType(a, mapping.IdxT(i))
		types = append(types, t)
		if is := mapping.GetTypeId(t); is != columns[i].is {
			return types, fmt.Errorf("column %d has the type %d, %d is written", i, is, columns[i].is)
		}
	}
	return types, nil
}

// handle takes DuckDB's own handle out of the driver's connection, which has
// no method that gives it.
func handle(c driver.Conn) (mapping.Connection, error) {
	conn, ok := c.(*duckdb.Conn)
	if !ok {
		return mapping.Connection{}, errors.New("not a connection of DuckDB's driver")
	}
	field := reflect.ValueOf(conn).Elem().FieldByName("conn")
	if !field.IsValid() || field.Type() != reflect.TypeFor[mapping.Connection]() {
		return mapping.Connection{}, errors.New("DuckDB's driver keeps its handle elsewhere: another version of it?")
	}
	return mapping.Connection{Ptr: field.FieldByName("Ptr").UnsafePointer()}, nil
}
