namespace Diffusion.Interactive;

/// <summary>Something that knows how it looks in a notebook.</summary>
public interface IShow
{
    /// <summary>How it looks now.</summary>
    View Show();
}
