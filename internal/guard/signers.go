package guard

import (
	"bufio"
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Namespace is what approvals are signed for: ssh-keygen -Y sign -n. A signature made for anything else is none.
const Namespace = "unjam-approval"

// minRSA is the smallest RSA key in bits that may sign (NIST SP 800-131A).
const minRSA = 2048

// signers are the lines of an allowed_signers file.
type signers []signer

// signer is one line: a key and whose it is.
type signer struct {
	principals    []string
	key           ssh.PublicKey
	after, before time.Time // zero: no bound
	here          bool      // the key may sign in Namespace
}

// parseSigners reads a file in the form of ssh-keygen(1), "ALLOWED SIGNERS". Lines that would let more in than one can see are refused:
// patterns as principals and certificate authorities.
func parseSigners(name string, text []byte) (signers, error) {
	var all signers
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, maxFile+1)
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("read allowed signers: %s:%d: %w", name, n, err)
		}
		all = append(all, s)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("read allowed signers: %s: %w", name, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("read allowed signers: %s: there is no line with a key", name)
	}
	return all, nil
}

func parseSigner(line string) (signer, error) {
	var names, rest string
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		if names, rest, ok = strings.Cut(quoted, `"`); !ok {
			return signer{}, errors.New("the principals have no closing quote")
		}
	} else if i := strings.IndexAny(line, " \t"); i > 0 {
		names, rest = line[:i], line[i:]
	}
	s := signer{here: true}
	for name := range strings.SplitSeq(names, ",") {
		if name == "" || strings.ContainsAny(name, "*?!") {
			return signer{}, fmt.Errorf("principal %q: name people one by one, without patterns", name)
		}
		s.principals = append(s.principals, name)
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(rest)))
	if err != nil {
		return signer{}, errors.New("want PRINCIPALS [OPTIONS] KEYTYPE KEY")
	}
	s.key = key
	for _, o := range options {
		if err := s.option(o); err != nil {
			return signer{}, err
		}
	}
	return s, strong(key)
}

// strong refuses certificates and weak keys.
func strong(key ssh.PublicKey) error {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
		return nil
	case ssh.KeyAlgoRSA:
		if c, ok := key.(ssh.CryptoPublicKey); ok {
			if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() >= minRSA {
				return nil
			}
		}
		return fmt.Errorf("an RSA key needs at least %d bits", minRSA)
	}
	return fmt.Errorf("keys of type %s cannot sign approvals; use ssh-ed25519", key.Type())
}

func (s *signer) option(o string) error {
	name, value, _ := strings.Cut(o, "=")
	value = strings.Trim(value, `"`)
	var err error
	switch strings.ToLower(name) {
	case "cert-authority":
		return errors.New("cert-authority: approvals are checked against keys, not against authorities: list each person's key")
	case "namespaces":
		if strings.ContainsAny(value, "?!") || strings.Contains(value, "*") && value != "*" {
			return fmt.Errorf("namespaces=%q: name them one by one, without patterns", value)
		}
		s.here = value == "*" || slices.Contains(strings.Split(value, ","), Namespace)
	case "valid-after":
		s.after, err = signerTime(value)
	case "valid-before":
		s.before, err = signerTime(value)
	default:
		return fmt.Errorf("option %q is unknown", name)
	}
	return err
}

// signerTime reads YYYYMMDD[HHMM[SS]][Z]; without a Z it is this machine's time zone (ssh-keygen(1), "ALLOWED SIGNERS").
func signerTime(text string) (time.Time, error) {
	zone, digits := time.Local, text
	if d, ok := strings.CutSuffix(text, "Z"); ok {
		zone, digits = time.UTC, d
	}
	for _, form := range []string{"20060102", "200601021504", "20060102150405"} {
		if t, err := time.ParseInLocation(form, digits, zone); err == nil && len(form) == len(digits) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time, want YYYYMMDD[HHMM[SS]][Z]", text)
}

// verify says whose key has signed an approval, by all names that its lines give, or why the signature does not count. A line must name
// the signer and the person: else whoever has any key could approve in another one's name.
func (all signers) verify(a Approval, now time.Time) (names []string, _ error) {
	if a.Signature == "" {
		return nil, errors.New("it is not signed, and this policy counts signed approvals only")
	}
	sig, err := sshsig.Unarmor([]byte(a.Signature))
	if err != nil {
		return nil, fmt.Errorf("its signature cannot be read: %w", err)
	}
	why := errors.New("its key is not among the allowed signers")
	allowed := false
	for _, s := range all {
		if !bytes.Equal(s.key.Marshal(), sig.PublicKey.Marshal()) {
			continue
		}
		names = append(names, s.principals...)
		err := s.allows(a, now)
		if allowed = allowed || err == nil; err != nil {
			why = err
		}
	}
	if !allowed {
		return nil, why
	}
	if err := sshsig.Verify(bytes.NewReader(a.Payload()), sig, sig.PublicKey, sig.HashAlgorithm, Namespace); err != nil {
		return nil, fmt.Errorf("its signature is wrong: %w", err)
	}
	return names, nil
}

// Believes says why the signature of an approval would not count at a time, before it is stored. Without allowed signers any is believed;
// a revocation always is.
func (p Policy) Believes(a Approval, now time.Time) error {
	if p.Approvals.AllowedSigners == "" || a.Revokes {
		return nil
	}
	if _, err := p.signers.verify(a, now); err != nil {
		return fmt.Errorf("approve: %s would not count it: %w", p.name, err)
	}
	return nil
}

func (s signer) allows(a Approval, now time.Time) error {
	named := func(name string) bool {
		return slices.ContainsFunc(s.principals, func(p string) bool { return samePrincipal(p, name) })
	}
	switch {
	case !named(a.principal()):
		return fmt.Errorf("its key is not that of %s", a.principal())
	case !named(string(a.Person)):
		return fmt.Errorf("its key is not that of %s: the line of allowed signers must name the person too", a.Person)
	case !s.here:
		return fmt.Errorf("its key may not sign in the namespace %s", Namespace)
	}
	for _, t := range []time.Time{a.CreatedAt, now} {
		if !s.after.IsZero() && t.Before(s.after) {
			return fmt.Errorf("its key is valid only from %s on", stamp(s.after))
		}
		if !s.before.IsZero() && !t.Before(s.before) {
			return fmt.Errorf("its key was valid only until %s", stamp(s.before))
		}
	}
	return nil
}

// samePrincipal compares a name of allowed_signers with one of an approval: user names of IAM Identity Center without case, ARNs exactly.
func samePrincipal(listed, name string) bool {
	if strings.HasPrefix(listed, "arn:") {
		return PersonOf(listed, "") == Person(name) || listed == name
	}
	return strings.EqualFold(listed, name)
}
