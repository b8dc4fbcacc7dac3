//go:build full

package fulltest

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// region is where everything in the world is.
const region = "us-east-1"

// site is a lab that serves a world over TCP, with every exchange held against botocore's API models and those of the Go
// module.
type site struct {
	*lab.Lab
	t     *testing.T
	url   string
	world *world.World
}

// serve loads testdata/full.world and serves it until the test ends.
func serve(t *testing.T) *site {
	t.Helper()
	text, err := os.ReadFile("testdata/full.world")
	if err != nil {
		t.Fatal(err)
	}
	l := lab.New()
	w, err := world.Load(l, "full.world", text, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	apimodel.Attach(t, l)
	botocore(t).Watch(t, l)
	srv := httptest.NewServer(l)
	t.Cleanup(srv.Close)
	return &site{Lab: l, t: t, url: srv.URL, world: w}
}

// botocore is a Validator with the models of the botocore in the environment, nothing of which may be newer than it.
func botocore(t *testing.T) *apimodel.Validator {
	t.Helper()
	dir, errText, code := run(t, nil, tool(t, "python"), "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))")
	if code != 0 {
		t.Fatalf("find botocore: %s", errText)
	}
	models, err := apimodel.LoadBotocore(strings.TrimSpace(dir))
	if err != nil {
		t.Fatal(err)
	}
	return &apimodel.Validator{Models: models, Newer: apimodel.Quirks(), Broken: apimodel.Broken()}
}

// tool is the path of a program of the Python environment that .ci/run makes from .ci/requirements.txt.
func tool(t *testing.T, name string) string {
	t.Helper()
	venv := os.Getenv("UNJAM_VENV")
	if venv == "" {
		t.Fatal("UNJAM_VENV does not name the Python environment with .ci/requirements.txt in it: bash .ci/run makes one")
	}
	path := filepath.Join(venv, "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return path
}

// caller finds a caller of the world.
func (s *site) caller(name string) *cloud.Caller {
	s.t.Helper()
	var k *cloud.Caller
	s.Cloud.Within(func() { k = s.Cloud.CallerByName(name) })
	if k == nil {
		s.t.Fatalf("the world has no caller %s", name)
	}
	return k
}

// env is the environment of an AWS client that acts as a caller on this site and on nothing else.
func (s *site) env(k *cloud.Caller) []string {
	s.t.Helper()
	home := s.t.TempDir()
	config := filepath.Join(home, "config")
	// Without this setting version 1 of the AWS CLI fetches what a parameter that is a URL points to.
	// https://docs.aws.amazon.com/cli/v1/userguide/cli-configure-files.html
	if err := os.WriteFile(config, []byte("[default]\ncli_follow_urlparam = false\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_CONFIG_FILE=" + config, "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(home, "none"),
		"AWS_ENDPOINT_URL=" + s.url, "AWS_DEFAULT_REGION=" + region, "AWS_ACCESS_KEY_ID=" + k.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + k.SecretAccessKey, "AWS_SESSION_TOKEN=" + k.SessionToken,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "LC_ALL=C.UTF-8", "TZ=UTC",
	}
}

// config is that of a Go SDK client that acts as a caller on this site.
func (s *site) config(k *cloud.Caller) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(s.url), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
	}
}

// run runs a program for a minute at most.
func run(t *testing.T, env []string, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, text bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &text
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %s: %v", name, err)
	}
	return out.String(), text.String(), cmd.ProcessState.ExitCode()
}
