package awsapi

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a transport made of a function.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	return w(r)
}

// says is a reply as AWS would send it.
func says(status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {contentType}, "X-Amzn-Requestid": {"req-1"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

func failure(status int, code, message string) *http.Response {
	return says(status, "application/x-amz-json-1.1", `{"__type":"`+code+`","message":"`+message+`"}`)
}

// keys are what no test depends on.
func keys() *Keys { return &Keys{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "secret"} }

// over opens a session over a transport.
func over(t *testing.T, w http.RoundTripper) *Session {
	t.Helper()
	s, err := Open(t.Context(), Options{Keys: keys(), Region: "eu-west-1", Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// machine takes away every AWS setting of the machine the test runs on, and gives it an empty home.
func machine(t *testing.T) (dir string) {
	t.Helper()
	for _, e := range os.Environ() {
		if name, value, _ := strings.Cut(e, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value) // so that it comes back
			os.Unsetenv(name)
		}
	}
	dir = t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return dir
}
