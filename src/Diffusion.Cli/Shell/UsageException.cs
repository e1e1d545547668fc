using Diffusion.Runtime;

namespace Diffusion.Cli.Shell;

/// <summary>The command line asks for something impossible. Exit code 2.</summary>
internal sealed class UsageException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner)
{
    /// <summary>
    /// Runs work of which wrong arguments come from the command line; what is wrong with the data stays the data's fault.
    /// </summary>
    public static T GuardArguments<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.TrimEnd('.'), inner: e);
        }
    }

    /// <summary>Runs <paramref name="check"/> on values of the command line: what it finds wrong is the command line's fault.</summary>
    public static T Guard<T>(Func<T> check)
    {
        try
        {
            return check();
        }
        catch (DiffusionException e) when (e is not (UsageException or ResourceException))
        {
            throw new UsageException(e.What, e.Where, e.Remedy, e);
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.TrimEnd('.'), inner: e);
        }
    }
}
