package codepipeline_test

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkRuns runs one more execution, begin to end, of a pipeline that has so many behind it: the cost must not depend on it.
func BenchmarkRuns(b *testing.B) {
	for _, past := range []int{10, 1000} {
		b.Run(fmt.Sprint("past=", past), func(b *testing.B) {
			x := working(b)
			x.create("web")
			for range past {
				x.pass(time.Hour)
				x.start("web")
			}
			b.ReportAllocs()
			for b.Loop() {
				x.pass(time.Hour)
				x.start("web")
			}
		})
	}
}

// BenchmarkRegion fills a Region: a thousand pipelines with a hundred executions each.
func BenchmarkRegion(b *testing.B) {
	for b.Loop() {
		x := working(b)
		for i := range 1000 {
			x.create(fmt.Sprint("p", i))
		}
		for range 99 {
			x.pass(time.Hour)
			for i := range 1000 {
				x.start(fmt.Sprint("p", i))
			}
		}
		x.pass(time.Hour)
	}
}
