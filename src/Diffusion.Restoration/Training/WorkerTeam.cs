using System.Runtime.ExceptionServices;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>A few threads with one libtorch thread each that share the jobs of a step and meet once when all are done.</summary>
/// <remarks>
/// One barrier a step instead of one in every operator: where another program takes a part of a core, throughput falls by that part and not
/// five- to tenfold.
/// </remarks>
internal sealed class WorkerTeam : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _go = new(0);
    private readonly CountdownEvent _done = new(1);
    private Action<int, int>? _body;
    private int _jobs,
        _next;
    private ExceptionDispatchInfo? _failure;
    private bool _stopped;

    /// <summary>Starts the threads.</summary>
    public WorkerTeam(int count)
    {
        _threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            int worker = i;
            _threads[i] = new Thread(() => Work(worker), 16 << 20) { IsBackground = true, Name = $"trainer {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of threads.</summary>
    public int Count => _threads.Length;

    /// <summary>Runs body(worker, job) for job = 0..jobs-1 and waits; the first exception is thrown again here.</summary>
    public void Run(int jobs, Action<int, int> body)
    {
        using FinalizerHold hold = new();
        (_body, _jobs, _next, _failure) = (body, jobs, -1, null);
        _done.Reset(Count);
        _go.Release(Count);
        _done.Wait();
        _failure?.Throw();
    }

    private void Work(int worker)
    {
        torch.set_num_threads(1);
        while (true)
        {
            _go.Wait();
            if (_stopped)
                return;
            try
            {
                for (int job; _failure is null && (job = Interlocked.Increment(ref _next)) < _jobs; )
                    _body!(worker, job);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            }
            _done.Signal();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopped = true;
        _go.Release(Count);
        foreach (Thread thread in _threads)
            thread.Join();
        _go.Dispose();
        _done.Dispose();
    }
}
