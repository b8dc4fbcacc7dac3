package guard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Policy is what an organisation demands of every change; docs/policy.md explains each key. The zero Policy is no policy: whoever runs
// --apply is the approval, and the breaker has its defaults.
type Policy struct {
	Approvals  Approvals `yaml:"approvals"`
	Accounts   Accounts  `yaml:"accounts"`
	Windows    []Window  `yaml:"windows"`
	Breaker    Breaker   `yaml:"breaker"`
	ExportRepo string    `yaml:"exportRepo"` // Git work tree for exports; LoadPolicy makes it absolute
	EncryptTo  []string  `yaml:"encryptTo"`  // age recipients
	Metric     bool      `yaml:"metric"`     // every plan counts its remediation in CloudWatch

	name    string  // of the file; "": no policy
	signers signers // of the allowedSigners file
	trusted bool    // that file was read
}

// Approvals says whose word a plan needs.
type Approvals struct {
	Count          int      `yaml:"count"`          // people; 1 when the section is there without it
	FourEyes       bool     `yaml:"fourEyes"`       // who made or runs the plan does not count
	AllowedSigners string   `yaml:"allowedSigners"` // file in the form of ssh-keygen(1), "ALLOWED SIGNERS"; from then on only signed approvals count
	MaxAge         Duration `yaml:"maxAge"`         // of an approval when the run starts; 0: 24 hours
	Machines       []string `yaml:"machines"`       // role ARNs under which no person works: they may make and run plans under fourEyes
}

// Accounts says where changes may be made. Account IDs have 12 digits.
type Accounts struct {
	Allow      []string     `yaml:"allow"` // nothing else, if there is one
	Deny       []string     `yaml:"deny"`  // weighs more than Allow
	Production []Production `yaml:"production"`
	Sandbox    Sandbox      `yaml:"sandbox"`
}

// Production is an account in which nothing is changed before a person has typed its alias.
type Production struct {
	ID    string `yaml:"id"`
	Alias string `yaml:"alias"` // "": the one that AWS says, or the ID
}

// Sandbox says where a plan must have worked before it may be carried out elsewhere.
type Sandbox struct {
	Accounts []string `yaml:"accounts"`
	Tag      string   `yaml:"tag"` // KEY=VALUE of the account in AWS Organizations
	Required bool     `yaml:"required"`
	Within   Duration `yaml:"within"` // 0: 168 hours
}

// Breaker are the numbers at which the program stops changing AWS; 0: the default, which docs/policy.md names.
type Breaker struct {
	PerRun     int `yaml:"perRun"`     // failed calls of one run
	PerAccount int `yaml:"perAccount"` // calls in one account within an hour
	Overall    int `yaml:"overall"`    // calls in all accounts within an hour
	Runs       int `yaml:"runs"`       // runs that called something within an hour
}

// Duration is a time span as Go writes it: 30m, 8h, 1h30m.
type Duration time.Duration

// UnmarshalYAML reads it and refuses what is no time span or not more than nothing.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	text, ok := n.(*ast.StringNode)
	if !ok {
		return &yaml.SyntaxError{Message: "want a time span such as 30m or 8h", Token: n.GetToken()}
	}
	v, err := time.ParseDuration(text.Value)
	if err != nil || v <= 0 {
		return &yaml.SyntaxError{Message: fmt.Sprintf("%q is no time span of more than nothing such as 30m or 8h", text.Value), Token: n.GetToken()}
	}
	*d = Duration(v)
	return nil
}

// The largest files that are read: a policy, an approval, an allowed_signers file. Nobody writes larger ones by hand.
const maxFile = 64 << 10

// Exists reports whether there is a policy at all.
func (p Policy) Exists() bool { return p.name != "" }

// File is the absolute path of the policy's file; "" when there is none.
func (p Policy) File() string {
	if p.name == "" {
		return ""
	}
	path, err := filepath.Abs(p.name)
	if err != nil {
		return p.name // the working folder is gone: it is known as it was named
	}
	return path
}

// ParsePolicy reads a policy. name stands in errors, "policy.yaml:3:7: reason". Unknown keys, wrong types and values that contradict
// each other are refused. The file of approvals.allowedSigners is not read: LoadPolicy or Trust does that, and until then no signature
// counts.
func ParsePolicy(name string, text []byte) (Policy, error) {
	if name == "" {
		name = "policy"
	}
	p := Policy{name: name}
	if len(text) > maxFile {
		return Policy{}, fmt.Errorf("read policy: %s: it has %d bytes, want at most %d", name, len(text), maxFile)
	}
	s, err := parseSource(name, text)
	if err != nil {
		return Policy{}, err
	}
	if s.has("$.approvals") {
		p.Approvals.Count = 1
	}
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return Policy{}, s.located(err)
	}
	if err := p.check(s); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// LoadPolicy reads a policy file and, if it names one, the file of allowed signers: relative to the policy.
func LoadPolicy(path string) (Policy, error) {
	text, err := readFile(path)
	if err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	p, err := ParsePolicy(path, text)
	if err != nil {
		return Policy{}, err
	}
	beside := func(file string) (string, error) {
		if file == "" || filepath.IsAbs(file) {
			return file, nil
		}
		return filepath.Abs(filepath.Join(filepath.Dir(path), file))
	}
	if p.ExportRepo, err = beside(p.ExportRepo); err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	if p.Approvals.AllowedSigners == "" {
		return p, nil
	}
	file, err := beside(p.Approvals.AllowedSigners)
	if err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	if text, err = readFile(file); err != nil {
		return Policy{}, fmt.Errorf("read policy: %s: approvals.allowedSigners: %w", path, err)
	}
	return p.Trust(file, text)
}

// Trust is the policy with the content of its allowedSigners file, for those who have it from elsewhere than a file.
func (p Policy) Trust(name string, text []byte) (Policy, error) {
	all, err := parseSigners(name, text)
	if err != nil {
		return Policy{}, err
	}
	p.signers, p.trusted = all, true
	return p, nil
}

// readFile reads a file that cannot be endless.
func readFile(path string) ([]byte, error) {
	i, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !i.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a file")}
	}
	if i.Size() > maxFile {
		return nil, &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has %d bytes, want at most %d", i.Size(), maxFile)}
	}
	return os.ReadFile(path)
}
