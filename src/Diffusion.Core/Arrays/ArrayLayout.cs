using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>How the values of an array lie in a file.</summary>
/// <param name="Type">The number type.</param>
/// <param name="Shape">Sizes of the axes, the columns last.</param>
/// <param name="BigEndian">The most significant byte first.</param>
/// <param name="ColumnMajor">The first axis runs fastest (Fortran, MATLAB).</param>
internal sealed record ArrayLayout(SampleType Type, long[] Shape, bool BigEndian = false, bool ColumnMajor = false)
{
    private const int MostAxes = 32;

    /// <summary>How many values there are.</summary>
    /// <exception cref="ImageException">Sizes that no file can hold.</exception>
    public long Count(string where)
    {
        if (Shape.Length > MostAxes)
            throw new ImageException($"The array claims {Shape.Length} axes", where, "Write the file again");
        long count = 1;
        try
        {
            foreach (long size in Shape)
                count = size < 0 ? throw new OverflowException() : checked(count * size);
            _ = checked(count * Type.Size());
        }
        catch (OverflowException exception)
        {
            throw new ImageException($"The array claims an impossible size, {Describe(Shape)}", where, "Write the file again", exception);
        }
        return count;
    }

    /// <summary><c>3x15x15</c>.</summary>
    public static string Describe(long[] shape) => shape.Length == 0 ? "a single value" : string.Join("x", shape);
}
