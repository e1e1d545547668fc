namespace Diffusion.Native;

/// <summary>
/// The one door to what Diffusion changes in the process it runs in. A program that never calls <see cref="Configure"/> keeps its
/// allocator, its environment and its libraries as they are.
/// </summary>
/// <remarks>
/// Two things happen without being asked, because results depend on them: finalizers wait while a network evaluation or a data step
/// computes (<see cref="FinalizerHold"/>), and libvips refuses the loaders that its authors don't trust with hostile files.
/// <code>
/// DiffusionRuntime.Configure(RuntimeOptions.Full); // first thing in a program that does nothing else
/// </code>
/// </remarks>
public static class DiffusionRuntime
{
    private static readonly Lock Gate = new();
    private static readonly ProcessChange[] All =
    [
        new(nameof(RuntimeOptions.OpenMpSleeps), options => options.OpenMpSleeps, null, OpenMpWaiting.Sleep),
        new(nameof(RuntimeOptions.KeepFreedMemory), options => options.KeepFreedMemory, null, GlibcHeap.KeepFreedMemory),
        new(nameof(RuntimeOptions.LargePages), options => options.LargePages, null, GlibcHeap.AskForLargePages),
        new(nameof(RuntimeOptions.TensorHeap), options => options.TensorHeap, Torch, TensorHeap.Install),
        new(nameof(RuntimeOptions.QuietConvolutions), options => options.QuietConvolutions, Torch, Nnpack.Disable),
        new(nameof(RuntimeOptions.QuietCodecs), options => options.QuietCodecs, Vips, () => _quietCodecs?.Invoke()),
    ];

    // A failure is found out once, and kept.
    private static readonly Lazy<bool> LoadedTorch = new(() =>
    {
        _ = torch.get_num_threads();
        Loaded(Torch);
        return true;
    });
    private static Func<string?>? _quietCodecs;

    private const string Torch = "libtorch",
        Vips = "libvips";

    /// <summary>
    /// Asks for changes of the process; see <see cref="RuntimeOptions"/> for what each brings and costs. Call it before the first tensor,
    /// and before other threads read the environment.
    /// </summary>
    /// <remarks>
    /// Loads no library: what concerns libtorch and libvips follows as soon as Diffusion loads them, at once where they are there. May be
    /// called again to ask for more; what was changed stays changed. <see cref="Changes"/> says what became of it.
    /// </remarks>
    /// <param name="options">What may change.</param>
    public static void Configure(RuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        lock (Gate)
        {
            foreach (ProcessChange change in All)
                change.Ask(options);
        }
    }

    /// <summary>What became of each option, in the order in which they take effect.</summary>
    public static IReadOnlyList<RuntimeChange> Changes
    {
        get
        {
            lock (Gate)
                return [.. All.Select(change => change.State)];
        }
    }

    /// <summary>Loads libtorch, and makes the changes that had to wait for it.</summary>
    internal static void LoadTorch() => _ = LoadedTorch.Value;

    /// <summary>Loads libvips, and makes the change that had to wait for it: whoever loads it knows its types.</summary>
    /// <param name="load">Loads it.</param>
    /// <param name="quiet">See <see cref="RuntimeOptions.QuietCodecs"/>.</param>
    internal static void LoadVips(Action load, Func<string?> quiet)
    {
        load();
        _quietCodecs = quiet;
        Loaded(Vips);
    }

    private static void Loaded(string library)
    {
        lock (Gate)
        {
            foreach (ProcessChange change in All)
                change.Loaded(library);
        }
    }
}
