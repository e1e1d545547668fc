using System.Diagnostics;

namespace Diffusion.Tests;

/// <summary>Watches how far the process's resident memory rises above where it was, by sampling.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly long _start;
    private readonly Thread _sampler;
    private long _peak;
    private volatile bool _stop;

    public MemoryWatch()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _start = _peak = Resident();
        _sampler = new Thread(() =>
        {
            while (!_stop)
            {
                Sample();
                Thread.Sleep(2);
            }
        })
        {
            IsBackground = true,
        };
        _sampler.Start();
    }

    /// <summary>Highest rise so far, in MiB.</summary>
    public double PeakGrowthMebibytes()
    {
        Sample();
        return (Interlocked.Read(ref _peak) - _start) / 1048576.0;
    }

    public void Dispose()
    {
        _stop = true;
        _sampler.Join();
    }

    private void Sample()
    {
        long now = Resident();
        for (long seen = Interlocked.Read(ref _peak); now > seen; seen = Interlocked.Read(ref _peak))
            Interlocked.CompareExchange(ref _peak, now, seen);
    }

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
