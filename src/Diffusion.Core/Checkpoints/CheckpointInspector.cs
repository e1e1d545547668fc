namespace Diffusion.Checkpoints;

/// <summary>Facts about a checkpoint.</summary>
public static class CheckpointInspector
{
    /// <summary>The usual name of a dtype, for example <c>bfloat16</c>.</summary>
    public static string DtypeName(ScalarType dtype) => Dtypes.Name(dtype);
}
