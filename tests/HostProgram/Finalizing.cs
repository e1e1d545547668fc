using System.Diagnostics;
using System.Runtime.CompilerServices;
using Diffusion.Native;
using Diffusion.Restoration;
using static Diffusion.HostProgram.WrongException;

namespace Diffusion.HostProgram;

/// <summary>What happens to a host's finalizers while pictures are restored.</summary>
internal static class Finalizing
{
    private static int s_finalized;

    /// <summary>
    /// Two restorers on two threads, restoring without pause: their results are those of one alone, finalizers run all the time, and
    /// whoever waits for them does not wait for the end.
    /// </summary>
    public static void TwoRestorersAtOnce() => Run(workers: 2, pictures: 3);

    /// <summary>One restoration of many steps.</summary>
    public static void OneRestorerWithoutPause() => Run(workers: 1, pictures: 1);

    private static void Run(int workers, int pictures)
    {
        DiffusionRuntime.Configure(new RuntimeOptions { OpenMpSleeps = true, QuietConvolutions = true });
        int evaluations = workers == 1 ? 24 : 8;
        float[][] alone = [.. Enumerable.Range(0, workers).Select(Alone)];
        bool[] right = [.. Enumerable.Repeat(true, workers)];
        Thread[] threads = [.. Enumerable.Range(0, workers).Select(i => new Thread(() => Work(i)))];
        Stopwatch clock = Stopwatch.StartNew();
        foreach (Thread thread in threads)
            thread.Start();
        (int planted, int during, TimeSpan longest) = (0, 0, TimeSpan.Zero);
        // Only while all of them work: what is planted later waits for nobody.
        while (true)
        {
            Plant();
            GC.Collect();
            long start = Stopwatch.GetTimestamp();
            GC.WaitForPendingFinalizers();
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            if (!threads.All(thread => thread.IsAlive))
                break;
            planted++;
            (during, longest) = (Volatile.Read(ref s_finalized), waited > longest ? waited : longest);
            Thread.Sleep(20);
        }
        foreach (Thread thread in threads)
            thread.Join();
        TimeSpan whole = clock.Elapsed;
        Console.WriteLine(
            FormattableString.Invariant(
                $"{whole.TotalSeconds:0.00} s, {planted} objects, {during} finalized, waited {longest.TotalSeconds:0.00} s at most"
            )
        );
        Unless(right.All(ok => ok), "A restoration beside another one has another result.");
        Unless(during > 0, "Nothing was finalized during the restoration.");
        Unless(during >= planted / 2, $"Of {planted} objects {during} were finalized during the restoration.");
        Unless(longest < whole / 2, $"Finalizers were waited for {longest.TotalSeconds:0.00} of {whole.TotalSeconds:0.00} s.");

        float[] Alone(int i)
        {
            using Restorer restorer = Job.Restorer(evaluations);
            return Job.Restore(restorer, Side(i), 0.2 + 0.1 * i);
        }

        void Work(int i)
        {
            using Restorer restorer = Job.Restorer(evaluations);
            for (int k = 0; k < pictures; k++)
                right[i] &= Job.Restore(restorer, Side(i), 0.2 + 0.1 * i).SequenceEqual(alone[i]);
        }

        static int Side(int i) => 128 - 32 * i;
    }

    // Not inlined, so that nothing refers to it on return.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Plant() => _ = new Planted();

    private sealed class Planted
    {
        ~Planted() => Interlocked.Increment(ref s_finalized);
    }
}
