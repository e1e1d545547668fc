using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>
/// A job that cannot be done as it was asked for, whatever the files hold: two results in one file, an output that exists already.
/// </summary>
public sealed class JobException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner);
