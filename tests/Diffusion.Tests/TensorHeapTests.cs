using System.Runtime.InteropServices;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Tests;

[NeedsFinalizers]
public sealed class TensorHeapTests
{
    private const int Megabyte = 1 << 20;

    public TensorHeapTests()
    {
        NativeLibraries.LoadTorch();
        RuntimeChange heap = DiffusionRuntime.Changes.Single(change => change.Option == nameof(RuntimeOptions.TensorHeap));
        Assert.SkipUnless(heap.InForce, $"There is no tensor heap here: {heap.Why}.");
    }

    [Fact]
    public void Tensors_of_many_threads_do_not_overlap()
    {
        Exception? failure = null;
        using (new FinalizerHold())
        {
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(seed => new Thread(() => Fill(seed)))];
            foreach (Thread thread in threads)
                thread.Start();
            foreach (Thread thread in threads)
                thread.Join();
        }
        Assert.Null(failure);

        void Fill(int seed)
        {
            try
            {
                Random random = new(seed);
                List<(Tensor Values, int Value)> live = [];
                for (int i = 0; i < 400; i++)
                {
                    int value = seed * 1000 + i;
                    live.Add((torch.full(random.Next(1, 12) * 30_001, value, dtype: ScalarType.Int32), value));
                    if (live.Count < 12)
                        continue;
                    int gone = random.Next(live.Count);
                    using Tensor values = live[gone].Values,
                        right = values.eq(live[gone].Value).all();
                    if (!right.item<bool>())
                        throw new InvalidOperationException($"Tensor {live[gone].Value} was written over.");
                    live.RemoveAt(gone);
                }
                foreach ((Tensor values, _) in live)
                    values.Dispose();
            }
            catch (Exception e)
            {
                failure = e;
            }
        }
    }

    [Fact]
    public void Holes_are_used_again()
    {
        // As a network does it: widths of three sizes that come and go, and small tensors in between that stay.
        List<Tensor> small = [];
        Random random = new(1);
        using MemoryWatch memory = new();
        for (int round = 0; round < 60; round++)
        {
            Queue<Tensor> live = new();
            foreach (int megabytes in (int[])[8, 8, 16, 4, 4, 8, 2, 2, 4, 8, 16, 16, 8])
            {
                live.Enqueue(torch.ones(megabytes * Megabyte / 4));
                small.Add(torch.ones(random.Next(1, 200)));
                if (live.Count > 3)
                    live.Dequeue().Dispose();
            }
            foreach (Tensor tensor in live)
                tensor.Dispose();
        }
        // At most 56 MB are in use at a time; glibc's heap grows to 3,850 MB by this.
        Assert.InRange(memory.PeakGrowthMebibytes(), 0, 300);
        foreach (Tensor tensor in small)
            tensor.Dispose();
    }

    [Fact]
    public void A_tensor_that_no_machine_can_hold_is_refused_and_harms_no_other()
    {
        using Tensor before = torch.arange(Megabyte);
        Assert.Contains("memory", Assert.Throws<ExternalException>(() => torch.empty(1L << 42)).Message);
        using Tensor after = torch.arange(Megabyte),
            equal = before.eq(after).all();
        Assert.True(equal.item<bool>());
        Assert.Equal(Megabyte - 1, before[Megabyte - 1].item<long>());
    }
}
