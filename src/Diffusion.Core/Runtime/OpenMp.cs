using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Diffusion.Runtime;

/// <summary>
/// Runs managed code on libtorch's own threads, those of GNU's OpenMP. Not on other systems, whose libtorch has another OpenMP.
/// </summary>
/// <remarks>
/// .NET's pool beside it keeps a thread awake after every loop that takes a core from libtorch's next operator: 6 % of a network's time on
/// two cores.
/// </remarks>
internal static unsafe class OpenMp
{
    private static readonly Lazy<nint> Parallel = new(Find);

    /// <summary>Whether <see cref="Run"/> works here. libtorch must have been loaded.</summary>
    public static bool IsThere => Parallel.Value != 0;

    /// <summary>
    /// Calls <paramref name="body"/> with 0..<paramref name="count"/>-1, each once, in any order; the first exception is thrown again here.
    /// </summary>
    public static void Run(int count, int threads, Action<int> body)
    {
        Job job = new(count, body);
        GCHandle handle = GCHandle.Alloc(job);
        try
        {
            // void GOMP_parallel(void (*fn)(void *), void *data, unsigned threads, unsigned flags)
            ((delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)Parallel.Value)(
                &Work,
                GCHandle.ToIntPtr(handle),
                (uint)threads,
                0
            );
        }
        finally
        {
            handle.Free();
        }
        job.Failure?.Throw();
    }

    [UnmanagedCallersOnly]
    private static void Work(nint handle) => Unsafe.As<Job>(GCHandle.FromIntPtr(handle).Target!).Work();

    private static nint Find()
    {
        if (!OperatingSystem.IsLinux() || torch.get_num_threads() < 1)
            return 0;
        try
        {
            // The package's copy has a name of its own. A copy that libtorch doesn't use would have threads of its own.
            string[] loaded =
            [
                .. File.ReadLines("/proc/self/maps")
                    .Where(line => line.Contains('/'))
                    .Select(line => line[line.IndexOf('/')..])
                    .Where(path => Path.GetFileName(path).StartsWith("libgomp", StringComparison.Ordinal))
                    .Distinct(),
            ];
            return
                loaded.Length == 1
                && NativeLibrary.TryLoad(loaded[0], out nint library)
                && NativeLibrary.TryGetExport(library, "GOMP_parallel", out nint entry)
                ? entry
                : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private sealed class Job(int count, Action<int> body)
    {
        private int _next = -1;

        public ExceptionDispatchInfo? Failure;

        public void Work()
        {
            try
            {
                for (int i; Failure is null && (i = Interlocked.Increment(ref _next)) < count; )
                    body(i);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref Failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }
    }
}
