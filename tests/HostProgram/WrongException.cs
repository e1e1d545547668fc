namespace Diffusion.HostProgram;

/// <summary>Something is not as it should be.</summary>
internal sealed class WrongException(string what) : Exception(what)
{
    public static void Unless(bool condition, string what)
    {
        if (!condition)
            throw new WrongException(what);
    }
}
