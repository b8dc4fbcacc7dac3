//go:build linux

package app_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// latency is how long the lab takes for each call, on top of its own work: about what AWS takes from within its Region.
const latency = 50 * time.Millisecond

// BenchmarkDiagnose measures the program as people run it: a cold process, TCP, 50 ms for every call. Besides the time of the whole
// run it reports when the verdict was on the screen, how many calls were made, and the most memory the process held.
func BenchmarkDiagnose(b *testing.B) {
	unjam := build(b)
	one := account(size{regions: 1, pipelines: 5, stuck: 1})
	thousand := account(size{regions: 1, pipelines: 1000, stuck: 10})
	for _, c := range []struct {
		name  string
		world []byte
		args  []string
	}{
		{"5-pipelines-target", one, []string{"p0000"}},
		{"5-pipelines-everything", one, nil},
		{"17-Regions-340-pipelines-target", wide(), []string{"p0000"}},
		{"17-Regions-340-pipelines-quick", wide(), []string{"p0000", "--quick"}},
		{"17-Regions-340-pipelines-timeout-2s", wide(), []string{"p0000", "--timeout", "2s"}},
		{"17-Regions-340-pipelines-region-all", wide(), []string{"--region", "all"}},
		{"1000-pipelines-target", thousand, []string{"p0000"}},
		{"1000-pipelines-everything", thousand, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := play(b, c.name, c.world)
			s.set(func(k *cloud.Cloud) { k.Latency = latency })
			server := httptest.NewServer(s.lab)
			defer server.Close()
			env := s.environment(b, server.URL)
			var verdict time.Duration
			var memory int64
			calls := len(s.lab.Cloud.Ledger())
			for b.Loop() {
				r := start(b, unjam, env, append([]string{"diagnose"}, c.args...)...)
				if r.exit != 3 || r.found == 0 {
					b.Fatalf("exit code %d\n%s", r.exit, r.stderr)
				}
				verdict += r.found
				memory = max(memory, r.memory)
			}
			b.ReportMetric(float64(verdict.Milliseconds())/float64(b.N), "verdict-ms")
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "whole-ms")
			b.ReportMetric(float64(len(s.lab.Cloud.Ledger())-calls)/float64(b.N), "calls")
			b.ReportMetric(float64(memory)/1e6, "MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkHelp measures a process that only explains itself, and that it asks nobody: neither AWS nor instance metadata.
func BenchmarkHelp(b *testing.B) {
	unjam := build(b)
	info, err := os.Stat(unjam)
	if err != nil {
		b.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	env := append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+server.URL, "HTTPS_PROXY="+server.URL, "HTTP_PROXY="+server.URL)
	var memory int64
	for b.Loop() {
		r := start(b, unjam, env, "--help")
		if r.exit != 0 {
			b.Fatalf("exit code %d\n%s", r.exit, r.stderr)
		}
		memory = max(memory, r.memory)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "whole-ms")
	b.ReportMetric(float64(asked.Load()), "calls")
	b.ReportMetric(float64(memory)/1e6, "MB")
	b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
	b.ReportMetric(0, "ns/op")
}

// build builds the program as a release does: without symbols.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "unjam")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "github.com/unjam/unjam/cmd/unjam").CombinedOutput()
	if err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// environment is that of a person with the world's credentials and nothing else.
func (s *stage) environment(b *testing.B, url string) []string {
	home := b.TempDir()
	k := s.world.Default
	return []string{
		"HOME=" + home, "UNJAM_HOME=" + filepath.Join(home, "unjam"), "PATH=" + os.Getenv("PATH"), "AWS_ENDPOINT_URL=" + url, "AWS_REGION=" + s.world.DefaultRegion,
		"AWS_ACCESS_KEY_ID=" + k.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + k.SecretAccessKey, "AWS_SESSION_TOKEN=" + k.SessionToken, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// ran is a process that ended.
type ran struct {
	exit   int
	found  time.Duration // from its start to its first line "found: ..."; 0: none
	memory int64         // bytes it held at most (resident set)
	stderr string
}

func start(b *testing.B, program string, env []string, args ...string) ran {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout = env, io.Discard
	pipe, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	memory := watch(cmd.Process.Pid)
	var r ran
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "found: ") && r.found == 0 {
			r.found = time.Since(begun)
		}
		r.stderr += lines.Text() + "\n"
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	r.exit, r.memory = cmd.ProcessState.ExitCode(), memory()
	return r
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watch reads how much memory a process held at most, until it ends. What wait4(2) tells cannot be used: it counts what this
// process, which holds the lab, had when it forked.
func watch(pid int) (peak func() int64) {
	done := make(chan int64)
	go func() {
		var most int64
		for {
			status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
			m := highWater.FindSubmatch(status)
			if err != nil || m == nil { // it has ended
				done <- most
				return
			}
			if n, err := strconv.ParseInt(string(m[1]), 10, 64); err == nil {
				most = max(most, n*1024)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return func() int64 { return <-done }
}
