package declared

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/unjam/unjam/internal/fact"
)

// view shows Go values to expressions by their JSON names, with types that are checked before anything runs. Members without a JSON
// name are not shown, nor is where a fact came from: request IDs and times of replies differ from read to read. Secrets are texts that
// say "(secret)".
type view struct {
	types.Provider // of CEL's own types
	all            map[string]*members
	missed         *members // the type in which the check first looked for a member in vain; only while a file is loaded
}

// members are the fields of one Go type.
type members struct {
	name   string
	typ    *types.Type
	fields map[string]*member
}

type member struct {
	index []int
	typ   *types.FieldType
}

// namespace stands before the names of types, so that they cannot be taken for CEL's own.
const namespace = "unjam."

// newView makes the view of some Go types and of all that they hold.
func newView(all ...reflect.Type) (*view, error) {
	own, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("make CEL types: %w", err)
	}
	v := &view{Provider: own, all: map[string]*members{}}
	for _, t := range all {
		v.typeOf(t)
	}
	return v, nil
}

// typeOf is the CEL type of a Go type; nil when it is not shown.
func (v *view) typeOf(t reflect.Type) *types.Type {
	switch t {
	case reflect.TypeFor[time.Time]():
		return types.TimestampType
	case reflect.TypeFor[time.Duration]():
		return types.DurationType
	case reflect.TypeFor[fact.Value](), reflect.TypeFor[fact.Secret]():
		return types.StringType
	}
	switch t.Kind() {
	case reflect.String:
		return types.StringType
	case reflect.Bool:
		return types.BoolType
	case reflect.Int, reflect.Int32, reflect.Int64:
		return types.IntType
	case reflect.Float64:
		return types.DoubleType
	case reflect.Slice:
		if e := v.typeOf(t.Elem()); e != nil && t.Elem().Kind() != reflect.Uint8 {
			return types.NewListType(e)
		}
	case reflect.Map:
		if e := v.typeOf(t.Elem()); e != nil && t.Key().Kind() == reflect.String {
			return types.NewMapType(types.StringType, e)
		}
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Struct {
			return v.typeOf(t.Elem())
		}
	case reflect.Struct:
		return v.structOf(t)
	}
	return nil
}

func (v *view) structOf(t reflect.Type) *types.Type {
	name := namespace + t.Name()
	if m, known := v.all[name]; known {
		return m.typ
	}
	m := &members{name: name, typ: types.NewObjectType(name, traits.FieldTesterType, traits.IndexerType), fields: map[string]*member{}}
	v.all[name] = m // before its fields: types may hold themselves
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "" || tag == "-" || f.Type == reflect.TypeFor[fact.Source]() {
			continue
		}
		if ct := v.typeOf(f.Type); ct != nil {
			m.fields[tag] = &member{index: f.Index, typ: v.access(tag, ct)}
		}
	}
	return m.typ
}

// access reads a field of an object.
func (v *view) access(name string, t *types.Type) *types.FieldType {
	return &types.FieldType{
		Type:  t,
		IsSet: func(target any) bool { o, ok := target.(*object); return ok && o.has(name) },
		GetFrom: func(target any) (any, error) {
			o, ok := target.(*object)
			if !ok {
				return nil, fmt.Errorf("%T has no fields", target)
			}
			return o.get(name)
		},
	}
}

// FindStructType finds a type that is shown.
func (v *view) FindStructType(name string) (*types.Type, bool) {
	if m, ok := v.all[name]; ok {
		return types.NewTypeTypeWithParam(m.typ), true
	}
	return v.Provider.FindStructType(name)
}

// FindStructFieldNames are the members of a type, sorted.
func (v *view) FindStructFieldNames(name string) ([]string, bool) {
	m, ok := v.all[name]
	if !ok {
		return v.Provider.FindStructFieldNames(name)
	}
	return m.names(), true
}

// FindStructFieldType is the type of a member.
func (v *view) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	m, ok := v.all[name]
	if !ok {
		return v.Provider.FindStructFieldType(name, field)
	}
	f, ok := m.fields[field]
	if !ok {
		if v.missed == nil {
			v.missed = m
		}
		return nil, false
	}
	return f.typ, true
}

// NewValue refuses to make a fact: they come from AWS.
func (v *view) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ours := v.all[name]; ours {
		return types.NewErr("a %s is read, not made", name)
	}
	return v.Provider.NewValue(name, fields)
}

func (m *members) names() []string {
	var all []string
	for n := range m.fields {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// value shows a Go value.
func (v *view) value(x reflect.Value) ref.Val {
	switch y := x.Interface().(type) {
	case time.Time:
		return types.Timestamp{Time: y.UTC()}
	case time.Duration:
		return types.Duration{Duration: y}
	case fact.Value:
		return types.String(y.String())
	case fact.Secret:
		return types.String(fact.Value{Secret: "x"}.String())
	}
	switch x.Kind() {
	case reflect.String:
		return types.String(x.String())
	case reflect.Bool:
		return types.Bool(x.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		return types.Int(x.Int())
	case reflect.Float64:
		return types.Double(x.Float())
	case reflect.Slice:
		all := make([]ref.Val, x.Len())
		for i := range all {
			all[i] = v.value(x.Index(i))
		}
		return types.NewRefValList(types.DefaultTypeAdapter, all)
	case reflect.Map:
		all := map[ref.Val]ref.Val{}
		for it := x.MapRange(); it.Next(); {
			all[types.String(it.Key().String())] = v.value(it.Value())
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, all)
	case reflect.Pointer:
		return v.value(x.Elem())
	case reflect.Struct:
		if m, ok := v.all[namespace+x.Type().Name()]; ok {
			return &object{value: x, members: m, view: v}
		}
	}
	return types.NewErr("a %s is not shown", x.Type())
}

// object is a Go struct as an expression sees it.
type object struct {
	value   reflect.Value
	members *members
	view    *view
}

// has reports whether a member is there: AWS told it, and it is not empty.
func (o *object) has(name string) bool {
	f, ok := o.members.fields[name]
	if !ok {
		return false
	}
	x, err := o.value.FieldByIndexErr(f.index)
	return err == nil && !x.IsZero()
}

// get reads a member. A time that AWS did not give is no time at all, rather than the year 1.
func (o *object) get(name string) (ref.Val, error) {
	f, ok := o.members.fields[name]
	if !ok {
		return nil, fmt.Errorf("%s has no %s", o.members.name, name)
	}
	x, err := o.value.FieldByIndexErr(f.index)
	if err != nil {
		return nil, err
	}
	if timeless := f.typ.Type == types.TimestampType || x.Kind() == reflect.Pointer; timeless && x.IsZero() {
		return nil, fmt.Errorf("%s is not set: ask has(...%s) first", name, name)
	}
	return o.view.value(x), nil
}

// ConvertToNative gives no Go value out.
func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a %s is no %s", o.members.name, t)
}

// ConvertToType knows the type's own name only.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.TypeType:
		return o.members.typ
	case o.members.typ:
		return o
	}
	return types.NewErr("type conversion error from '%s' to '%s'", o.members.name, t)
}

// Equal compares what can be seen.
func (o *object) Equal(other ref.Val) ref.Val {
	x, ok := other.(*object)
	if !ok || x.members != o.members {
		return types.False
	}
	for _, n := range o.members.names() {
		if o.has(n) != x.has(n) {
			return types.False
		}
		if !o.has(n) {
			continue
		}
		a, err := o.get(n)
		b, err2 := x.get(n)
		if err != nil || err2 != nil || types.Equal(a, b) != types.True {
			return types.False
		}
	}
	return types.True
}

// Type is the CEL type.
func (o *object) Type() ref.Type { return o.members.typ }

// Value is the object itself: the Go value stays here.
func (o *object) Value() any { return o }

// AggregateSize counts a fact as one value: it is there anyway, whatever an expression makes of it.
func (o *object) AggregateSize(types.AggregateSizer) uint32 { return 1 }

// Get is member access where the type is not known beforehand.
func (o *object) Get(name ref.Val) ref.Val {
	n, ok := name.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(name)
	}
	x, err := o.get(string(n))
	if err != nil {
		return types.WrapErr(err)
	}
	return x
}

// IsSet is has().
func (o *object) IsSet(name ref.Val) ref.Val {
	n, ok := name.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(name)
	}
	return types.Bool(o.has(string(n)))
}
