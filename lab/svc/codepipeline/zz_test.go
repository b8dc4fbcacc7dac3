package codepipeline_test
import ("testing";"time";"runtime";"fmt";"runtime/pprof";"os")
func TestZZ(t *testing.T){
	x := working(t)
	for i := range 100 { x.create(fmt.Sprint("p", i)) }
	var a,b runtime.MemStats
	runtime.GC(); runtime.ReadMemStats(&a)
	s:=time.Now()
	for range 99 { x.pass(time.Hour); for i := range 100 { x.start(fmt.Sprint("p", i)) } }
	x.pass(time.Hour)
	fmt.Println(time.Since(s)/9900)
	runtime.GC(); runtime.ReadMemStats(&b)
	fmt.Println("retained per run", (b.HeapAlloc-a.HeapAlloc)/9900)
	f,_:=os.Create("/tmp/j.heap"); pprof.WriteHeapProfile(f); f.Close()
	runtime.KeepAlive(x)
}
