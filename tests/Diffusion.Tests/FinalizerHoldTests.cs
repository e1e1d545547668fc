using Diffusion.Imaging;
using Diffusion.Native;
using Diffusion.Runtime;
using Diffusion.Training;

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

    [Fact]
    public void A_hold_ends_on_the_thread_that_took_it()
    {
        using FinalizerHold hold = new();
        Exception? refused = null;
        Thread other = new(() => refused = Record.Exception(hold.Dispose));
        other.Start();
        other.Join();
        Assert.Contains("the thread that took it", Assert.IsType<InvalidOperationException>(refused).Message);
        Assert.True(FinalizerHold.IsHeldHere);
    }

    [Fact]
    public void Finalizers_that_waited_run_when_the_holder_yields()
    {
        int finalized = 0;
        using FinalizerHold hold = new();
        Leave(() => Interlocked.Increment(ref finalized));
        GC.Collect();
        Thread.Sleep(50);
        Assert.Equal(0, finalized);
        FinalizerHold.Yield();
        Assert.Equal(1, finalized);
        Leave(() => Interlocked.Increment(ref finalized));
        GC.Collect();
        Thread.Sleep(50);
        Assert.Equal(1, finalized);
    }

    [Fact]
    public void Whoever_waits_for_finalizers_waits_for_the_next_yield_and_not_for_the_last_one()
    {
        using FinalizerHold hold = new();
        // Nothing is collected here: time alone lets it through.
        Task waiting = Task.Run(GC.WaitForPendingFinalizers);
        for (int computation = 0; computation < 20 && !waiting.IsCompleted; computation++)
        {
            Thread.Sleep(30);
            FinalizerHold.Yield();
        }
        Assert.True(waiting.IsCompleted);
    }

    [Fact]
    public void Several_holders_let_finalizers_run_when_none_of_them_computes()
    {
        int finalized = 0,
            computing = 0,
            early = 0;
        bool stop = false;
        Thread[] threads = [.. Enumerable.Range(1, 3).Select(pace => new Thread(() => Compute(pace)))];
        foreach (Thread thread in threads)
            thread.Start();
        for (DateTime end = DateTime.UtcNow.AddSeconds(10); DateTime.UtcNow < end && Volatile.Read(ref finalized) < 20; )
        {
            Leave(() =>
            {
                if (Volatile.Read(ref computing) > 0)
                    Interlocked.Increment(ref early);
                Interlocked.Increment(ref finalized);
            });
            GC.Collect();
            Thread.Sleep(1);
        }
        Volatile.Write(ref stop, true);
        foreach (Thread thread in threads)
            Assert.True(thread.Join(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, early);
        Assert.True(finalized >= 20);

        void Compute(int pace)
        {
            while (!Volatile.Read(ref stop))
            {
                using FinalizerHold hold = new();
                for (int i = 0; i < 5; i++)
                {
                    Interlocked.Increment(ref computing);
                    Thread.Sleep(pace);
                    Interlocked.Decrement(ref computing);
                    FinalizerHold.Yield();
                }
            }
        }
    }

    [Fact]
    public void Who_holds_may_wait_for_photographs_that_others_read()
    {
        string photo = Path.Combine(Directory.CreateTempSubdirectory("photographs").FullName, "photo.png");
        using (ComputeScope scope = new())
            ImageFile.Write(photo, torch.rand(1, 3, 256, 256));
        bool reading = true;
        Thread collector = new(() =>
        {
            // Each collection is a reason to let finalizers pass.
            while (Volatile.Read(ref reading))
            {
                GC.Collect();
                Thread.Sleep(1);
            }
        });
        collector.Start();
        Thread reader = new(() =>
        {
            using FinalizerHold hold = new();
            TrainingPhotos.Read([.. Enumerable.Repeat(photo, 32)]);
        })
        {
            IsBackground = true,
        };
        reader.Start();
        bool ended = reader.Join(TimeSpan.FromSeconds(20));
        Volatile.Write(ref reading, false);
        collector.Join();
        Assert.True(ended, "Threads that read photographs wait for the one that waits for them.");
    }

    [Fact]
    public void Photographs_that_are_read_let_finalizers_run_between_them()
    {
        string folder = Directory.CreateTempSubdirectory("photographs").FullName;
        string photo = Path.Combine(folder, "photo.png");
        using (ComputeScope scope = new())
            ImageFile.Write(photo, torch.rand(1, 3, 256, 256));
        TrainingPhotos.Read(photo);
        int finalized = 0;
        bool reading = true;
        Thread collector = new(() =>
        {
            // One is held back for as long as what is computed at the moment.
            while (Volatile.Read(ref reading))
            {
                Leave(() => Interlocked.Add(ref finalized, Volatile.Read(ref reading) ? 1 : 0));
                GC.Collect(0);
                Thread.Sleep(1);
            }
        });
        collector.Start();
        TrainingPhotos.Read([.. Enumerable.Repeat(photo, 32)]);
        int during = Volatile.Read(ref finalized);
        Volatile.Write(ref reading, false);
        collector.Join();
        Directory.Delete(folder, recursive: true);
        Assert.True(during >= 5, $"{during} finalizers ran while 32 photographs were read.");
    }

    /// <summary>Leaves an object behind whose finalizer says so.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    internal static void Leave(Action finalized) => _ = new Left(finalized);

    private sealed class Left(Action finalized)
    {
        ~Left() => finalized();
    }
}
