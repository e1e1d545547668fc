using System.Runtime.CompilerServices;

namespace Diffusion.Native;

/// <summary>
/// Holds the process's finalizers back while libtorch computes, until disposed. Holds nest, and may be taken by several threads.
/// </summary>
/// <remarks>
/// TorchSharp hands numbers over as small objects whose finalizers free native memory (even <c>a + b</c> makes one, for a factor of 1), and
/// does not keep them alive during the native call.
/// A garbage collection that another thread begins at that moment frees a number that libtorch is about to read: an exception that nobody
/// understands, or a wrong result.
/// What waits is little: about 100 bytes an operation. Taking the first hold costs a collection of the youngest generation.
/// </remarks>
public sealed class FinalizerHold : IDisposable
{
    private static readonly Lock Gate = new();
    private static int _holders;
    private static ManualResetEventSlim? _release;
    private bool _disposed;

    /// <summary>Waits until the finalizer that runs has ended, and lets no other one begin.</summary>
    public FinalizerHold()
    {
        lock (Gate)
        {
            if (_holders++ == 0)
                _release = Hold();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (--_holders == 0)
                _release!.Set();
        }
    }

    private static ManualResetEventSlim Hold()
    {
        const int Patience = 100,
            Tries = 5; // ms: a finalizer of the program's that takes longer is not waited for
        ManualResetEventSlim held = new(),
            release = new();
        Plant(held, release);
        for (int i = 0; i < Tries && !held.IsSet; i++)
        {
            GC.Collect(i == 0 ? 0 : GC.MaxGeneration);
            held.Wait(Patience);
        }
        return release;
    }

    // Not inlined, so that nothing refers to it on return.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Plant(ManualResetEventSlim held, ManualResetEventSlim release) => _ = new Plug(held, release);

    /// <summary>Its finalizer occupies the thread that all finalizers run on.</summary>
    private sealed class Plug(ManualResetEventSlim held, ManualResetEventSlim release)
    {
        ~Plug()
        {
            held.Set();
            release.Wait();
        }
    }
}
