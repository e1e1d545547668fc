using System.Reflection;

namespace Diffusion.Interactive;

/// <summary>Shows views in a notebook of .NET Interactive, which is found by name in the process: nothing here depends on it.</summary>
internal sealed class DotNetInteractive : INotebookHost
{
    private readonly Func<object, object?> _display;

    private DotNetInteractive(Func<object, object?> display) => _display = display;

    /// <inheritdoc/>
    public CancellationToken Cancellation => CancellationToken.None;

    /// <summary>The host, where the process is a kernel of .NET Interactive; else null.</summary>
    public static DotNetInteractive? Find()
    {
        MethodInfo? display = Type.GetType("Microsoft.DotNet.Interactive.Kernel, Microsoft.DotNet.Interactive")
            ?.GetMethod("display", BindingFlags.Public | BindingFlags.Static, [typeof(object), typeof(string[])]);
        return display is null ? null : new DotNetInteractive(view => display.Invoke(null, [view, Array.Empty<string>()]));
    }

    /// <inheritdoc/>
    public void Show(View view) => _display(view);

    /// <inheritdoc/>
    public Action<View> ShowLive(View view)
    {
        object? shown = _display(view);
        MethodInfo? update = shown?.GetType().GetMethod("Update", [typeof(object)]);
        return live => update?.Invoke(shown, [live]);
    }
}
