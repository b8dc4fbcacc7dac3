package fact

import (
	"bytes"
	"encoding/json"
	"errors"
)

var errNoDeclaration = errors.New("the reply lacks the pipeline")

// DeclarationDigest is the digest of a raw pipeline declaration, the member "pipeline" of GetPipeline's reply: of its canonical JSON, with
// the members that the SDK does not know. White space and the order of members do not count. The second one leaves out the version.
func DeclarationDigest(raw []byte) (whole, unversioned Digest, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil || v == nil {
		return "", "", errNoDeclaration
	}
	whole = DigestOf(v)
	delete(v, "version")
	return whole, DigestOf(v), nil
}
