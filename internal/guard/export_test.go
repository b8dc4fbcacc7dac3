package guard

import (
	"time"

	"github.com/hiddeco/sshsig"
)

// VerifySignature holds an approval's signature against lines of allowed signers, whatever plan it is about, for tests.
func VerifySignature(lines []byte, a Approval, now time.Time) error {
	all, err := parseSigners("lines", lines)
	if err == nil {
		_, err = all.verify(a, now)
	}
	return err
}

// DecodeSignature is what an armored signature says, for tests.
func DecodeSignature(text string) (string, error) {
	s, err := sshsig.Unarmor([]byte(text))
	if err != nil {
		return "", err
	}
	return string(s.Marshal()), nil
}
