using System.Diagnostics;
using System.Runtime.InteropServices;
using Diffusion.Native;
using Diffusion.Restoration;
using Diffusion.Runtime;
using static Diffusion.HostProgram.WrongException;

namespace Diffusion.HostProgram;

/// <summary>What the library leaves as it is in a process that is not its own.</summary>
internal static partial class Neighbours
{
    private const int Megabytes = 400;

    /// <summary>Environment, allocator and threads stay as they were, and asking for everything changes no result.</summary>
    public static void NothingChangesUnasked()
    {
        int threads = torch.get_num_threads();
        using Restorer restorer = Job.Restorer();
        float[] plain = Job.Restore(restorer);
        foreach (RuntimeChange change in DiffusionRuntime.Changes)
            Unless(!change.InForce, $"{change.Option} is in force, though nobody asked for it.");
        Unless(torch.get_num_threads() == threads, "The number of threads has changed.");
        if (OperatingSystem.IsLinux())
        {
            Unless(getenv("OMP_WAIT_POLICY") == 0, "The environment has changed.");
            Unless(Kept() < Megabytes / 4, "The allocator keeps what a host frees.");
        }
        DiffusionRuntime.Configure(RuntimeOptions.Full);
        if (OperatingSystem.IsLinux())
            Unless(Kept() > Megabytes / 2, "The allocator gives back what it was asked to keep.");
        Unless(Job.Restore(restorer).SequenceEqual(plain), "The process's settings change the result.");
    }

    /// <summary>A host with tensors, gradients and scopes of its own keeps them, and may ask for more later.</summary>
    public static void TorchWasUsedBefore()
    {
        using Tensor large = torch.arange(1 << 20, dtype: ScalarType.Float32),
            leaf = torch.ones(3, requires_grad: true);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor inScope = leaf * 2;
        float[] plain;
        using (Restorer restorer = Job.Restorer())
            plain = Job.Restore(restorer);
        Unless(torch.is_grad_enabled(), "Gradients are off.");
        inScope.sum().backward();
        Unless(leaf.grad!.sum().item<float>() == 6, "The host's gradient is wrong.");

        DiffusionRuntime.Configure(RuntimeOptions.Full);
        RuntimeChange openMp = DiffusionRuntime.Changes.Single(change => change.Option == nameof(RuntimeOptions.OpenMpSleeps));
        Unless(!openMp.InForce && openMp.Why.Contains("before", StringComparison.Ordinal), "OpenMP had been loaded, and nobody says so.");
        using (Restorer restorer = Job.Restorer())
            Unless(Job.Restore(restorer).SequenceEqual(plain), "The process's settings change the result.");
        // What lay in the C library's heap before goes back there, and what comes now does not lie over it.
        Tensor later = torch.zeros(1 << 20);
        later.fill_(7);
        Unless(large[12345].item<float>() == 12345, "A tensor of the host's was written over.");
        large.Dispose();
        Unless(later.eq(7).all().item<bool>(), "A tensor of the host's was written over.");
    }

    /// <summary>The number of threads is the host's, until it asks for another one.</summary>
    public static void ThreadsAreTheHosts()
    {
        torch.set_num_threads(1);
        using (Restorer restorer = Job.Restorer())
            _ = Job.Restore(restorer);
        Unless(torch.get_num_threads() == 1, "The number of threads has changed.");
        (new ComputePolicy() with { Threads = 2 }).Apply();
        Unless(torch.get_num_threads() == 2, "The number of threads that was asked for is not set.");
    }

    /// <summary>How much of a large tensor the process keeps when it has been disposed, in megabytes.</summary>
    private static long Kept()
    {
        long before = Resident();
        using (torch.ones(Megabytes * (1L << 20) / sizeof(float))) { }
        return Resident() - before;
    }

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64 >> 20;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint getenv(string name);
}
