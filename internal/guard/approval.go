package guard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/unjam/unjam/internal/fact"
)

// ApprovalSchema names the form of an approval.
const ApprovalSchema = "unjam/approval/v1"

// Approval is one person's word about one plan: yes until it expires, or, if it revokes, no more.
type Approval struct {
	Schema    string      `json:"schema"`
	PlanID    fact.Digest `json:"planId"`
	By        string      `json:"by"`               // ARN that the caller had
	Person    Person      `json:"person"`           // who that is: PersonOf(By)
	Signer    string      `json:"signer,omitempty"` // principal of the key in allowed_signers; "": Person
	CreatedAt time.Time   `json:"createdAt"`        // UTC, whole seconds
	ExpiresAt time.Time   `json:"expiresAt"`
	Comment   string      `json:"comment,omitempty"`
	Revokes   bool        `json:"revokes,omitempty"`
	Signature string      `json:"signature,omitempty"` // SSH signature, armored, of Payload
}

// Signed is an approval as it was found.
type Signed struct {
	Approval
	File string // for messages
}

// Payload is what is signed: the approval as compact JSON without its signature, members in the order of the type.
func (a Approval) Payload() []byte {
	a.Signature = ""
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		panic("guard: an approval does not marshal: " + err.Error()) // texts and times, with years that check has seen
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// principal is the name under which the key is known.
func (a Approval) principal() string {
	if a.Signer != "" {
		return a.Signer
	}
	return string(a.Person)
}

// ParseApproval reads an approval and refuses unknown members and what contradicts itself. It does not look at the signature.
func ParseApproval(file string, text []byte) (Signed, error) {
	s := Signed{File: file}
	if len(text) > maxFile {
		return s, fmt.Errorf("read approval %s: it has %d bytes, want at most %d", file, len(text), maxFile)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s.Approval); err != nil {
		return s, fmt.Errorf("read approval %s: %w", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return s, fmt.Errorf("read approval %s: something stands behind it", file)
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("read approval %s: %w", file, err)
	}
	return s, nil
}

func (a Approval) check() error {
	switch {
	case a.Schema != ApprovalSchema:
		return fmt.Errorf("schema is %q, want %q", a.Schema, ApprovalSchema)
	case a.PlanID == "":
		return errors.New("it names no plan")
	case a.Person == "" || PersonOf(a.By, "") == "":
		return errors.New("it does not say who gives it: want person and by, an ARN")
	case a.CreatedAt.Year() < 2000 || a.CreatedAt.Year() > 2200 || a.ExpiresAt.Year() < 2000 || a.ExpiresAt.Year() > 2200:
		return errors.New("createdAt and expiresAt must be times of this century")
	case !a.Revokes && !a.ExpiresAt.After(a.CreatedAt):
		return errors.New("it expires before it was made")
	}
	for _, text := range []string{string(a.PlanID), a.By, string(a.Person), a.Signer, a.Comment} {
		if strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }) {
			return errors.New("its texts must be of one line")
		}
	}
	return nil
}

// LoadApprovals reads the approvals and revocations beside a plan file: of web.plan.json those are web.plan.approval-*.json and
// web.plan.revocation-*.json. One that cannot be read is an error, since it may be a revocation.
func LoadApprovals(planFile string) ([]Signed, error) {
	dir, base := filepath.Split(planFile)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for approvals: %w", err)
	}
	base = strings.TrimSuffix(base, ".json")
	var all []Signed
	for _, e := range entries {
		rest, found := strings.CutPrefix(e.Name(), base+".")
		if !found || !strings.HasSuffix(rest, ".json") || !strings.HasPrefix(rest, "approval-") && !strings.HasPrefix(rest, "revocation-") {
			continue
		}
		file := filepath.Join(dir, e.Name())
		text, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("read approval: %w", err)
		}
		s, err := ParseApproval(file, text)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// FileName is where an approval is stored beside its plan. A person has one approval of a plan, the newest, and any number of revocations.
func (a Approval) FileName(planFile string) string {
	base := strings.TrimSuffix(planFile, ".json")
	if a.Revokes {
		return fmt.Sprintf("%s.revocation-%s-%s.json", base, slug(a.Person), a.CreatedAt.UTC().Format("20060102T150405Z"))
	}
	return fmt.Sprintf("%s.approval-%s.json", base, slug(a.Person))
}

// slug is a person in a file name: readable, and another one for every person.
func slug(p Person) string {
	name := string(p)
	if i := strings.LastIndex(name, "/"); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(name))
	sum := sha256.Sum256([]byte(p))
	return strings.Trim(name[:min(len(name), 40)], "-") + "-" + hex.EncodeToString(sum[:4])
}

// Text is the approval as it is stored.
func (a Approval) Text() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(a); err != nil {
		return nil, fmt.Errorf("write approval: %w", err)
	}
	return b.Bytes(), nil
}
