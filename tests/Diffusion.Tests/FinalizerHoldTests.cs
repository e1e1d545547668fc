using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Tests;

[NeedsFinalizers]
public sealed class FinalizerHoldTests
{
    [Fact]
    public void Sums_survive_garbage_collections_of_other_threads()
    {
        using ComputeScope scope = new();
        Exception? failure = null;
        long sums = 0;
        bool stop = false;
        using (new FinalizerHold())
        {
            Thread[] threads = [.. Enumerable.Range(0, 2).Select(_ => new Thread(Add))];
            foreach (Thread thread in threads)
                thread.Start();
            // Without the hold one of the sums mostly reads a factor that has been freed within these four seconds.
            for (DateTime end = DateTime.UtcNow.AddSeconds(4); DateTime.UtcNow < end && failure is null; )
            {
                GC.Collect();
                Thread.Sleep(1);
            }
            stop = true;
            foreach (Thread thread in threads)
                thread.Join();
        }
        Assert.Null(failure);
        Assert.True(sums > 100);

        void Add()
        {
            try
            {
                using ComputeScope inner = new();
                Tensor a = torch.ones(1, 32, 64, 64, dtype: ScalarType.BFloat16),
                    two = a + a;
                while (!stop)
                {
                    using Tensor sum = a + a;
                    if (Interlocked.Increment(ref sums) % 64 > 0)
                        continue;
                    using Tensor right = sum.eq(two).all();
                    if (!right.item<bool>())
                        throw new InvalidOperationException("One and one is not two.");
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        }
    }

    [Fact]
    public void Finalizers_run_when_the_last_hold_is_gone()
    {
        int finalized = 0;
        FinalizerHold outer = new(),
            inner = new();
        Leave(() => Interlocked.Increment(ref finalized));
        inner.Dispose();
        inner.Dispose();
        GC.Collect();
        Thread.Sleep(50);
        Assert.Equal(0, finalized);
        outer.Dispose();
        GC.WaitForPendingFinalizers();
        Assert.Equal(1, finalized);
    }

    /// <summary>Leaves an object behind whose finalizer says so.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    internal static void Leave(Action finalized) => _ = new Left(finalized);

    private sealed class Left(Action finalized)
    {
        ~Left() => finalized();
    }
}
