using System.Runtime.InteropServices;

namespace Diffusion.Runtime;

/// <summary>Raw access to a tensor's memory, for kernels over dtypes that C# has no type for.</summary>
internal static partial class TensorData
{
    /// <summary>Address of the first element. The caller keeps the tensor alive.</summary>
    public static unsafe void* Pointer(Tensor tensor) => (void*)THSTensor_data(tensor.Handle);

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_data(nint tensor);
}
