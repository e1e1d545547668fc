namespace Diffusion.Native;

/// <summary>
/// What Diffusion may change in the process that it runs in, for speed and memory. Results don't depend on any of it. Nothing is asked
/// for by default.
/// </summary>
/// <remarks>
/// The numbers were measured on two cores of an EPYC under Debian 12. <c>HostProgram measure SIDE all|none|OPTION,...</c> in
/// <c>tests/HostProgram</c> measures a restoration by <c>cm4ir</c> at 4 evaluations anew, with the options that are named.
/// </remarks>
public sealed record RuntimeOptions
{
    /// <summary>Nothing changes: for a program that has other things to do.</summary>
    public static RuntimeOptions None { get; } = new();

    /// <summary>Everything: for a program whose only purpose is this, as the command's is.</summary>
    public static RuntimeOptions Full { get; } =
        new()
        {
            OpenMpSleeps = true,
            KeepFreedMemory = true,
            LargePages = true,
            TensorHeap = true,
            QuietConvolutions = true,
            QuietCodecs = true,
        };

    /// <summary>
    /// Threads of OpenMP that wait for work sleep soon, where they spin by default (<c>OMP_WAIT_POLICY=PASSIVE</c> and
    /// <c>GOMP_SPINCOUNT=1000</c> in the process's environment).
    /// </summary>
    /// <remarks>
    /// Applies to everything in the process that uses the same OpenMP, and must come before anything loads libtorch. Where another
    /// program runs beside it, spinning made everything 10 to 100 times slower. Values in the environment win.
    /// </remarks>
    public bool OpenMpSleeps { get; init; }

    /// <summary>
    /// The C library keeps the memory that is freed, where it gives large blocks back to the system and faults them in again (three
    /// settings of <c>mallopt</c>). Linux with glibc.
    /// </summary>
    /// <remarks>
    /// What faults cost depends on the machine: a restoration at 512 px in float32 took 2 s instead of 11, at 1024 px 8 s instead of 59,
    /// where earlier machines halved their time. The process's memory stays at its peak, whoever used it, and cannot be brought back to
    /// the default later. Without <see cref="TensorHeap"/> it also frays: at 1024 px the peak was 2.8 GB instead of 1.9.
    /// <c>MALLOC_*</c> in the environment wins.
    /// </remarks>
    public bool KeepFreedMemory { get; init; }

    /// <summary>
    /// The next 256 MB of the C library's heap lie in pages of 2 MB (<c>madvise</c>), which can make loading libtorch faster. Linux with
    /// glibc.
    /// </summary>
    /// <remarks>
    /// libtorch lays down 100 MB there while it loads. Where touching a page for the first time is slow, that takes as long as all the
    /// rest of the loading; on the machine above the two starts could not be told apart. Costs up to 2 MB more memory for each part that
    /// is touched.
    /// </remarks>
    public bool LargePages { get; init; }

    /// <summary>
    /// Tensors of 256 KB and more lie in one range of addresses of their own, in pages of 2 MB: libc10's calls of
    /// <c>posix_memalign</c> and <c>free</c> are redirected in its import table. Linux with glibc.
    /// </summary>
    /// <remarks>
    /// Every tensor of the process that is made afterwards lies there, the host's too. The range is as large as the machine's memory, of
    /// which only what is touched counts; its freed parts are kept. As fast as <see cref="KeepFreedMemory"/> makes the C library's heap,
    /// and at 1024 px the peak is 1.7 GB instead of 2.8.
    /// </remarks>
    public bool TensorHeap { get; init; }

    /// <summary>
    /// libtorch doesn't try NNPACK for small float32 convolutions: where NNPACK does not know the processor, each one prints a warning
    /// (libtorch 2.10, <c>Could not initialize NNPACK! Reason: Unsupported hardware.</c>). Linux.
    /// </summary>
    /// <remarks>
    /// Calls <c>at::Context::setUserEnabledNNPACK(false)</c> under its mangled name, since neither libtorch's C functions nor TorchSharp
    /// offer it. It holds for the whole process.
    /// </remarks>
    public bool QuietConvolutions { get; init; }

    /// <summary>libvips decodes on one thread, keeps no cache of operations, and writes no warnings to standard error.</summary>
    /// <remarks>
    /// Holds for the host's own pictures that pass through NetVips, too. libtorch's threads have the processor for themselves; a picture
    /// that was decoded is not kept twice.
    /// </remarks>
    public bool QuietCodecs { get; init; }
}
