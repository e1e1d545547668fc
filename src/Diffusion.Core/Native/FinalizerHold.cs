using System.Runtime.CompilerServices;

namespace Diffusion.Native;

/// <summary>
/// Holds the process's finalizers back while this thread computes with tensors. Holds nest; each belongs to the thread that took it.
/// </summary>
/// <remarks>
/// TorchSharp (0.107.0) hands numbers over as small objects whose finalizers free native memory (even <c>a + b</c> makes one, for a factor
/// of 1), and does not keep them alive during the native call. A garbage collection that another thread begins at that moment frees a
/// number that libtorch is about to read: an exception that nobody understands, or a wrong result (docs/upstream has the report).
/// <para>
/// Whoever holds for long calls <see cref="Yield"/> between one network evaluation or data step and the next: finalizers then run while no
/// holder computes. What waits until then is little: about 100 bytes an operation.
/// </para>
/// </remarks>
public sealed class FinalizerHold : IDisposable
{
    // A finalizer of the host's that takes longer than this is not waited for.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    // Held for less, finalizers may wait for the next opportunity; with several holders, who have to wait for each other, for longer.
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20),
        ShortOfSeveral = TimeSpan.FromSeconds(1);

    private static readonly object Gate = new();
    private static int s_holders,
        s_yielding,
        s_round;
    private static Plug? s_plug;

    [ThreadStatic]
    private static int t_depth;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private bool _disposed;

    /// <summary>Waits until the finalizer that runs has ended, and lets no other one begin.</summary>
    public FinalizerHold()
    {
        if (t_depth++ > 0)
            return;
        lock (Gate)
        {
            // Not without end: whom the others wait for may wait for this thread.
            if (s_yielding > 0)
                Monitor.Wait(Gate, ShortOfSeveral);
            if (s_holders++ == 0)
                s_plug = Plug.Insert();
        }
    }

    /// <summary>
    /// Whether this thread holds. Threads that it waits for must not hold, too: they would wait in <see cref="Yield"/> for it, without end.
    /// </summary>
    public static bool IsHeldHere => t_depth > 0;

    /// <summary>
    /// Lets finalizers run that have waited, if this thread holds any: called between two computations, never inside of one. Other holders
    /// are waited for, to the end of what they compute.
    /// </summary>
    public static void Yield()
    {
        if (t_depth == 0 || !IsDue)
            return;
        lock (Gate)
        {
            if (!IsDue)
                return;
            s_yielding++;
            int round = s_round;
            LetPass();
            while (s_round == round)
                Monitor.Wait(Gate);
        }
    }

    /// <summary>Ends the hold.</summary>
    /// <exception cref="InvalidOperationException">
    /// Another thread took it: this one would count a hold too few, that one a hold too many, and finalizers would wait without end.
    /// </exception>
    public void Dispose()
    {
        if (_disposed)
            return;
        if (_thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException("A hold of finalizers ends on the thread that took it; no await may stand between.");
        _disposed = true;
        if (--t_depth > 0)
            return;
        lock (Gate)
        {
            s_holders--;
            LetPass();
        }
    }

    private static bool IsDue => s_plug is { } plug && (plug.SawCollection || plug.Age > (s_holders == 1 ? Short : ShortOfSeveral));

    /// <summary>Lets finalizers run if nobody computes.</summary>
    private static void LetPass()
    {
        if (s_yielding < s_holders)
            return;
        s_plug!.Remove();
        s_plug = null;
        if (s_holders == 0)
            return;
        // On another thread, since there is no waiting for finalizers with an end: one of the host's may wait for this very thread.
        Task.Run(GC.WaitForPendingFinalizers).Wait(Patience);
        s_plug = Plug.Insert();
        s_yielding = 0;
        s_round++;
        Monitor.PulseAll(Gate);
    }

    /// <summary>An object whose finalizer occupies the thread that all finalizers run on.</summary>
    private sealed class Plug
    {
        private readonly ManualResetEventSlim _isIn = new(),
            _isOut = new();
        private readonly long _inserted = Environment.TickCount64;
        private int _collections;

        public static Plug Insert()
        {
            const int Tries = 5;
            Plug plug = new();
            plug.Leave();
            for (int i = 0; i < Tries && !plug._isIn.IsSet; i++)
            {
                plug._collections = GC.CollectionCount(0) + 1;
                GC.Collect(i == 0 ? 0 : GC.MaxGeneration);
                plug._isIn.Wait(Patience);
            }
            return plug;
        }

        public bool SawCollection => GC.CollectionCount(0) > _collections;

        public TimeSpan Age => TimeSpan.FromMilliseconds(Environment.TickCount64 - _inserted);

        public void Remove() => _isOut.Set();

        // Not inlined, so that nothing refers to it on return.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Leave() => _ = new Finalizable(this);

        private sealed class Finalizable(Plug plug)
        {
            ~Finalizable()
            {
                plug._isIn.Set();
                plug._isOut.Wait();
            }
        }
    }
}
