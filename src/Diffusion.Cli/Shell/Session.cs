using System.CommandLine;

namespace Diffusion.Cli.Shell;

/// <summary>One run of a verb: the parsed options, where output goes, and whether to stop.</summary>
internal sealed record Session(ParseResult Parse, Terminal Terminal, CancellationToken Cancellation)
{
    /// <summary>The value of an option.</summary>
    public T? Get<T>(Option<T> option) => Parse.GetValue(option);

    /// <summary>The value of an argument; the type's default for one that may be left out and was.</summary>
    public T Get<T>(Argument<T> argument) =>
        argument.Arity.MinimumNumberOfValues == 0 ? Parse.GetValue(argument)! : Parse.GetRequiredValue(argument);

    /// <summary>Whether the user gave an option.</summary>
    public bool Has(Option option) => Parse.GetResult(option) is { Implicit: false };
}
