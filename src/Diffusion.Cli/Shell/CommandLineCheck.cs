using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Cli.Shell;

/// <summary>Finds what is wrong with a command line and says it in one line.</summary>
internal static class CommandLineCheck
{
    /// <summary>
    /// The first error, or null. A word that looks like an option and is none is an error wherever it stands before <c>--</c>, so that it
    /// never becomes an input file or a value.
    /// </summary>
    public static string? FirstError(ParseResult parse, string[] args)
    {
        if (parse.Action is not (null or ParseErrorAction or RunsAlone))
            return null; // --help, --version, completion
        Command command = parse.CommandResult.Command;
        if (UnknownOption(command, args) is { } unknown)
            return unknown;
        if (command is not Verb)
        {
            string prefix = Path(command);
            string[] verbs = [.. command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name)];
            return parse.UnmatchedTokens.Count > 0
                ? $"There is no verb \"{parse.UnmatchedTokens[0]}\" ({prefix}). "
                    + $"{Sentence(NearestName.Advice(parse.UnmatchedTokens[0], verbs))}"
                : $"A verb is missing ({prefix}). There are {string.Join(", ", verbs)}.";
        }
        foreach (ParseError error in parse.Errors)
            return Describe(error, command);
        return null;
    }

    private static string? UnknownOption(Command command, string[] args)
    {
        HashSet<string> known = [.. Names(command)];
        foreach (string arg in args)
        {
            if (arg == "--")
                return null;
            if (arg.Length < 2 || arg[0] != '-' || double.TryParse(arg, CultureInfo.InvariantCulture, out _))
                continue;
            string name = arg[..(arg.IndexOfAny(['=', ':']) is >= 0 and var end ? end : arg.Length)];
            if (known.Contains(name))
                continue;
            string remedy = NearestName.Of(name, known.Where(k => k.StartsWith("--", StringComparison.Ordinal))) is { } near
                ? $"Did you mean {near}?"
                : $"See {Path(command)} --help; a file of that name goes after --.";
            return $"There is no option {name} ({Path(command)}). {remedy}";
        }
        return null;
    }

    private static string Sentence(string advice) => advice.EndsWith('?') ? advice : advice + ".";

    /// <summary>What the user typed to get to the command: <c>diffusion operators list</c>.</summary>
    private static string Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Path(parent)} {command.Name}" : "diffusion";

    private static IEnumerable<string> Names(Command command, bool onlyRecursive = false) =>
        command
            .Options.Where(option => option.Recursive || !onlyRecursive)
            .SelectMany(option => option.Aliases.Prepend(option.Name))
            .Concat(command.Parents.OfType<Command>().SelectMany(parent => Names(parent, onlyRecursive: true)));

    private static string Describe(ParseError error, Command command)
    {
        string message = Failure.OneLine(error.Message).TrimEnd('.');
        switch (error.SymbolResult)
        {
            case OptionResult { Option: { } option } result when result.Tokens.Count == 0 && !result.Implicit:
                return $"{option.Name} needs a value ({Path(command)}). See {Path(command)} --help.";
            case OptionResult { Option: { } option }:
                return message.Contains(option.Name, StringComparison.Ordinal) ? message + "." : $"{message} ({option.Name}).";
            case ArgumentResult { Argument: { } argument } when message.StartsWith("Required argument", StringComparison.Ordinal):
                return $"{argument.HelpName ?? argument.Name} is missing ({Path(command)}). See {Path(command)} --help.";
            default:
                return message + ".";
        }
    }
}
