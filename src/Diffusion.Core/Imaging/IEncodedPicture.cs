namespace Diffusion.Imaging;

/// <summary>A picture that is ready to be written.</summary>
internal interface IEncodedPicture : IDisposable
{
    /// <summary>Encodes to a stream that can be read and can seek.</summary>
    void Save(Stream stream);
}
