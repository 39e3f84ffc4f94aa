//! The pipeline of an action: which escapers go to its end, and which of its own functions stand in for them.

use super::choose::escapers;
use super::context::{Context, Quote, State};
use super::escape::Escaper;
use super::problem::Problem;
use crate::ast::{Command, Operand, OperandKind, Pipeline};

/// `pipe`, which writes at `context`, with the escapers that it needs at its end. `context` becomes what follows it.
pub(super) fn escaped(context: &mut Context, pipe: &Pipeline) -> Result<Pipeline, Problem> {
    let place = context.nudged();
    check_predefined(&place, pipe)?;
    let mut needed = escapers(context).ok_or_else(|| Problem::Url(format!("{{{{{pipe}}}}}")))?;
    let mut pipe = pipe.clone();
    use_predefined(&mut pipe, &mut needed);
    let pos = pipe.pos;
    pipe.commands.extend(needed.into_iter().map(|escaper| {
        let operand = Operand { pos, kind: OperandKind::Escaper(escaper) };
        Command { pos, operands: vec![operand] }
    }));
    Ok(pipe)
}

/// `html` and `urlquery` must be the last of a pipeline, where they stand in for an escaper of ours; what `html` writes
/// is not safe in a value without quotes.
fn check_predefined(place: &Context, pipe: &Pipeline) -> Result<(), Problem> {
    let unquoted = place.state == State::Attribute && place.quote == Quote::Space;
    for (index, command) in pipe.commands.iter().enumerate() {
        let Some(name @ ("html" | "urlquery")) = function(command) else { continue };
        let is_last = index + 1 == pipe.commands.len();
        if !is_last || (unquoted && name == "html") {
            return Err(Problem::Predefined(name.into()));
        }
    }
    Ok(())
}

/// If the pipeline's last function does the work of one of the `needed` escapers, it does so in that one's place.
fn use_predefined(pipe: &mut Pipeline, needed: &mut [Escaper]) {
    let Some(last) = pipe.commands.last_mut() else { return };
    let Some(name) = function(last).map(String::from) else { return };
    let twin = needed.iter_mut().find_map(|escaper| escaper.predefined(&name).map(|twin| (escaper, twin)));
    let Some((escaper, twin)) = twin else { return };
    *escaper = twin;
    // Its arguments, if it has any of its own, are still to be made one text.
    if last.operands.len() > 1 {
        last.operands[0].kind = OperandKind::Identifier("print".into());
    } else {
        pipe.commands.pop();
    }
}

/// The name of the function that a command calls.
fn function(command: &Command) -> Option<&str> {
    match &command.operands.first()?.kind {
        OperandKind::Identifier(name) => Some(name),
        _ => None,
    }
}
