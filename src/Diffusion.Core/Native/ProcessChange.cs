namespace Diffusion.Native;

/// <summary>One change of the process: made once, when it is asked for and the library that it concerns is there.</summary>
/// <param name="option">The property of <see cref="RuntimeOptions"/> that asks for it.</param>
/// <param name="isAsked">Reads that property.</param>
/// <param name="library">The library that must have been loaded; null for none.</param>
/// <param name="make">Makes the change and returns null, or says in a few words why it could not.</param>
internal sealed class ProcessChange(string option, Func<RuntimeOptions, bool> isAsked, string? library, Func<string?> make)
{
    private bool _isAsked,
        _isLoaded = library is null,
        _isMade;
    private string? _obstacle;

    /// <summary>What became of it.</summary>
    public RuntimeChange State =>
        new(
            option,
            _isMade && _obstacle is null,
            _obstacle
                ?? (
                    _isMade ? "asked for"
                    : _isAsked ? $"waits until {library} is loaded"
                    : "not asked for"
                )
        );

    /// <summary>Asks for it where the options do.</summary>
    public void Ask(RuntimeOptions options)
    {
        _isAsked |= isAsked(options);
        Make();
    }

    /// <summary>A library has been loaded.</summary>
    public void Loaded(string name)
    {
        _isLoaded |= name == library;
        Make();
    }

    private void Make()
    {
        if (_isMade || !_isAsked || !_isLoaded)
            return;
        _isMade = true;
        _obstacle = make();
    }
}
