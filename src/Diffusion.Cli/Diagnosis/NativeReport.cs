using System.Diagnostics;
using System.Runtime.InteropServices;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Cli.Diagnosis;

/// <summary>Loads the native libraries and says where they came from.</summary>
internal static class NativeReport
{
    private static readonly string[] Libraries =
    [
        "libLibTorchSharp",
        "libtorch_cpu",
        "libtorch_cuda",
        "libgomp",
        "libvips",
        "LibTorchSharp",
        "torch_cpu",
        "torch_cuda",
    ];

    /// <summary>What is there.</summary>
    public static IEnumerable<Finding> Findings()
    {
        yield return Try(
            "libtorch",
            LoadTorch,
            "Build or install again; if it persists, delete bin/ and obj/ and restore. Debian 12 and Ubuntu 22.04 need the patched "
                + "libLibTorchSharp.so that the build makes"
        );
        yield return Try("libvips", LoadVips, "Build or install again for this platform; pictures cannot be read without it");
        foreach (string path in LoadedPaths())
            yield return new("loaded", path);
        foreach (RuntimeChange change in DiffusionRuntime.Changes)
            yield return new("process", $"{change.Option}: {(change.InForce ? "in force" : "not in force")}, {change.Why}");
        yield return new("process", "finalizers wait while a network evaluation or a data step computes (TorchSharp frees numbers in use)");
        foreach (Finding stray in StrayCopies())
            yield return stray;
    }

    private static string LoadTorch()
    {
        NativeLibraries.LoadTorch();
        using Tensor one = torch.ones(1);
        string cuda = torch.cuda.is_available() ? $"{torch.cuda.device_count()} CUDA device(s)" : "no CUDA device";
        return $"{torch.__version__}, TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, {torch.get_num_threads()} "
            + $"threads, {cuda}";
    }

    private static string LoadVips() =>
        $"{ImageFile.CodecVersion}, NetVips {typeof(NetVips.NetVips).Assembly.GetName().Version?.ToString(3)}";

    private static Finding Try(string topic, Func<string> load, string remedy)
    {
        try
        {
            return new(topic, load());
        }
        catch (Exception e)
            when (e
                    is TypeInitializationException
                        or DllNotFoundException
                        or BadImageFormatException
                        or NotSupportedException
                        or ExternalException
                        or NetVips.VipsException
                        or DiffusionException
            )
        {
            Exception cause = e.GetBaseException();
            return new(topic, "cannot be loaded: " + Failure.OneLine(cause.Message), remedy, IsFault: true);
        }
    }

    private static IEnumerable<string> LoadedPaths()
    {
        using Process self = Process.GetCurrentProcess();
        return
        [
            .. self
                .Modules.Cast<ProcessModule>()
                .Select(module => module.FileName)
                .Where(path => Libraries.Any(name => Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal)))
                .Distinct()
                .Order(),
        ];
    }

    /// <summary>A failed load of libtorch leaves half a gigabyte behind, once per failure.</summary>
    private static IEnumerable<Finding> StrayCopies()
    {
        foreach (string name in (string[])["cpu", "cuda"])
        {
            DirectoryInfo folder = new(Path.Combine(AppContext.BaseDirectory, name));
            if (!folder.Exists)
                continue;
            long bytes = folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
            yield return new(
                "stray files",
                $"{folder.FullName}, {bytes / 1e6:0} MB left by a failed load of libtorch",
                "Delete the folder"
            );
        }
    }
}
