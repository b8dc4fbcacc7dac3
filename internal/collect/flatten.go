package collect

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// Limits of a flattened document: a pipeline may have 1000 actions, and nothing bounds what a file or an event holds.
const (
	maxPaths = 20000
	maxValue = 1024 // bytes of one value; a longer one is cut
	maxDepth = 40
	maxPath  = 4096 // bytes of one path
)

// sealer turns values that must not be kept into keyed hashes. Its key lives as long as the process.
type sealer [32]byte

func newSealer() sealer {
	var s sealer
	_, _ = rand.Read(s[:]) // never fails: crypto/rand
	return s
}

func (s sealer) seal(v string) fact.Secret {
	h := hmac.New(sha256.New, s[:])
	h.Write([]byte(v))
	return fact.Secret(hex.EncodeToString(h.Sum(nil)[:12]))
}

var errTooLarge = errors.New("the document has more than 20000 values, or they lie more than 40 deep")

// flatten reads a JSON document into paths and values. Values that are or may be secrets are sealed: by their name, by how they look, and
// the plain environment variables of CodeBuild actions.
func (s sealer) flatten(raw []byte) (fact.Values, error) {
	out := fact.Values{}
	v, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	if err := s.walk(out, "", "", v, 0); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	return out, nil
}

// decode reads one JSON value; numbers stay as they are written.
func decode(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// Flatten turns a JSON document from elsewhere into values, with secrets sealed like everything that this collector reads.
func (c *Collector) Flatten(raw []byte) (fact.Values, error) { return c.flatten(raw) }

// walk adds what lies under a path. key is the name that a value goes by: its own, or that of the secret it lies in.
func (s sealer) walk(out fact.Values, path, key string, v any, depth int) error {
	if len(out) > maxPaths || depth > maxDepth || len(path) > maxPath {
		return errTooLarge
	}
	switch x := v.(type) {
	case map[string]any:
		veiled := veils(key, x)
		for _, k := range slices.Sorted(maps.Keys(x)) { // in order: of two members that share a path, always the same one counts
			y, at, name := x[k], join(path, k), k
			if secretName.MatchString(key) {
				name = key
			}
			if text, ok := y.(string); ok && veiled && holdsValue(k) {
				out[at] = fact.Value{Secret: s.seal(text)}
				continue
			}
			if err := s.walk(out, at, name, y, depth+1); err != nil {
				return err
			}
		}
	case []any:
		names := labels(x)
		for i, y := range x {
			if err := s.walk(out, join(path, names[i]), key, y, depth+1); err != nil {
				return err
			}
		}
	case string:
		return s.text(out, path, key, x, depth)
	case json.Number:
		out[path] = s.value(key, x.String())
	case bool:
		out[path] = s.value(key, strconv.FormatBool(x))
	}
	return nil // null says nothing
}

// veils reports whether the member "value" of an object may be a secret: the object is a plain environment variable or a parameter of a
// template, or its name says so ({"name": "TOKEN", "defaultValue": ...}).
func veils(key string, x map[string]any) bool {
	switch strings.ToLower(key) {
	case "environmentvariables", "environmentvariablesoverride":
		kind, _ := x["type"].(string)
		return !stored(kind)
	case "parameters", "parameteroverrides":
		return true
	}
	for _, member := range []string{"name", "Name", "key", "Key"} {
		if name, _ := x[member].(string); secretName.MatchString(name) {
			return true
		}
	}
	return false
}

func holdsValue(member string) bool {
	switch strings.ToLower(member) {
	case "value", "defaultvalue", "parametervalue":
		return true
	}
	return false
}

// stored reports whether an environment variable of a type names where its value is kept, not the value.
func stored(kind string) bool { return kind == "PARAMETER_STORE" || kind == "SECRETS_MANAGER" }

// text takes strings that hold documents of their own apart: policies, parameters, and the environment variables of CodeBuild.
func (s sealer) text(out fact.Values, path, key, x string, depth int) error {
	if strings.EqualFold(key, "EnvironmentVariables") {
		return s.environment(out, path, x)
	}
	if strings.HasPrefix(strings.TrimSpace(x), "{") {
		if inner, err := decode([]byte(x)); err == nil {
			return s.walk(out, path, key, inner, depth+1)
		}
	}
	out[path] = s.value(key, x)
	return nil
}

// environment reads CodePipeline's list of a build's variables: names and kinds stay, plain values are sealed.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
func (s sealer) environment(out fact.Values, path, x string) error {
	var vars []struct{ Name, Value, Type string }
	if json.Unmarshal([]byte(x), &vars) != nil || len(out)+len(vars) > maxPaths {
		out[path] = fact.Value{Secret: s.seal(x)}
		return nil
	}
	for _, v := range vars {
		at := join(path, v.Name)
		if stored(v.Type) {
			out[at] = fact.Value{Text: clip(v.Type + " " + v.Value)}
		} else {
			out[at] = fact.Value{Secret: s.seal(v.Value)}
		}
	}
	return nil
}

func join(path, k string) string {
	if path == "" {
		return k
	}
	return path + "/" + k
}

// labels name the entries of a list: by their member "name" (or what stands for one) where all have it and all differ, else by place.
func labels(list []any) []string {
	for _, member := range []string{"name", "Name", "Sid", "policyName", "groupId"} {
		names, seen := make([]string, len(list)), map[string]bool{}
		for i, x := range list {
			m, _ := x.(map[string]any)
			n, _ := m[member].(string)
			if n == "" || seen[n] {
				names = nil
				break
			}
			names[i], seen[n] = n, true
		}
		if names != nil && len(list) > 0 {
			return names
		}
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = strconv.Itoa(i)
	}
	return names
}

var (
	secretName  = regexp.MustCompile(`(?i)(token|secret|passw|credential|private_?key|api_?key|access_?key|authorization)`)
	secretValue = regexp.MustCompile(`(AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_|glpat-|xox[abprs]-|-----BEGIN|eyJ[A-Za-z0-9_-]{10,}\.|://[^/\s:@]+:[^/\s:@]+@|(?i:passw\w*|token|secret\w*|api_?key)["']?=["']?[^\s"'&]`)
	looksRandom = regexp.MustCompile(`^[A-Za-z0-9/+=]{40}$`) // an AWS secret access key
	onlyHex     = regexp.MustCompile(`^[0-9a-f]+$`)          // a commit
)

// value is a text as it may be kept.
func (s sealer) value(key, x string) fact.Value {
	if x != "" && (secretName.MatchString(key) || secretValue.MatchString(x) || (looksRandom.MatchString(x) && !onlyHex.MatchString(x))) {
		return fact.Value{Secret: s.seal(x)}
	}
	if len(x) > maxValue {
		return fact.Value{Text: clip(x), Whole: s.seal(x)}
	}
	return fact.Value{Text: x}
}

func clip(x string) string {
	if len(x) <= maxValue {
		return x
	}
	return strings.ToValidUTF8(x[:maxValue], "") + "..."
}
