//! One component from a main component and its parts.
//!
//! A part is bound by its WIT package's name: every interface of that package that the main component imports is taken
//! from the part's exports. What neither satisfies stays an import of the whole, merged by name.

use wac_graph::types::{ItemKind, Package};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

use crate::capabilities::{self, Class, Import};
use crate::error::{LoadError, read};
use crate::manifest::{Component, Dependency};

/// The name under which a part that does not inherit `files` imports its (empty) set of preopened directories.
pub(crate) const WITHHELD_PREOPENS: &str = "attesto-host:withheld/preopens";

/// Reads a component and its parts, refuses parts that want too much, and composes the rest.
///
/// # Errors
/// [`LoadError`] naming the component or the part.
pub fn compose(id: &str, component: &Component) -> Result<Vec<u8>, LoadError> {
    let main = read(&component.source)?;
    if component.dependencies.is_empty() {
        return Ok(main);
    }
    let mut composition = Composition::start(id, main)?;
    for dependency in &component.dependencies {
        composition.add(dependency)?;
    }
    composition.finish()
}

struct Composition<'a> {
    id: &'a str,
    graph: CompositionGraph,
    main: PackageId,
    instance: NodeId,
    imports: Vec<Import>,
}

impl<'a> Composition<'a> {
    fn start(id: &'a str, wasm: Vec<u8>) -> Result<Self, LoadError> {
        let mut graph = CompositionGraph::new();
        let main = register(&mut graph, "main", wasm).map_err(|cause| LoadError::component(id, cause))?;
        let instance = graph.instantiate(main);
        let imports = names(&graph, main, Side::Imports).into_iter().map(Import::new).collect();
        Ok(Self { id, graph, main, instance, imports })
    }

    fn add(&mut self, dependency: &Dependency) -> Result<(), LoadError> {
        let name = dependency.name();
        let wanted: Vec<Import> =
            self.imports.iter().filter(|import| satisfies(dependency, import)).cloned().collect();
        if wanted.is_empty() {
            return Err(
                self.error(format!("imports no interface of {name}, so the part would never be called"))
            );
        }
        let wasm = read(&dependency.path)?;
        let imports =
            capabilities::imports_of(&wasm).map_err(|cause| self.error(format!("part {name}: {cause}")))?;
        capabilities::check(&name, &imports, &dependency.inherits)?;

        // wac knows a package by its name, which must be unique; the WIT package's own name could be an import of main.
        let part = register(&mut self.graph, &format!("part:{}", dependency.package.replace(':', "-")), wasm)
            .map_err(|cause| self.error(format!("part {name}: {cause}")))?;
        let instance = self.graph.instantiate(part);
        if !dependency.inherits.contains(&Class::Files) {
            self.withhold_files(part, instance)
                .map_err(|cause| self.error(format!("part {name}: {cause}")))?;
        }
        for import in wanted {
            let export = self.graph.alias_instance_export(instance, import.as_str()).map_err(|_| {
                let exports = names(&self.graph, part, Side::Exports).join(", ");
                self.error(format!("part {name} does not export {import}; it exports {exports}"))
            })?;
            self.graph.set_instantiation_argument(self.instance, import.as_str(), export).map_err(
                |error| {
                    self.error(format!(
                        "part {name} exports {import} with other types than imported: {}",
                        chain(&error)
                    ))
                },
            )?;
        }
        Ok(())
    }

    /// Gives the part an import of its own in place of `wasi:filesystem/preopens`, so that the linker can tell the two
    /// apart and answer this one with nothing.
    fn withhold_files(&mut self, part: PackageId, instance: NodeId) -> Result<(), String> {
        for name in names(&self.graph, part, Side::Imports) {
            let import = Import::new(name.as_str());
            if capabilities::class_of(&import) != Some(Class::Files) {
                continue;
            }
            let withheld = withheld_name(&import);
            let known = self.graph.imports().find(|(name, ..)| *name == withheld).and_then(|(.., node)| node);
            let node = match known {
                Some(node) => node,
                None => {
                    let kind = self.renamed(part, &name, &withheld).ok_or("preopens is not an interface")?;
                    self.graph.import(withheld, kind).map_err(|error| chain(&error))?
                }
            };
            self.graph.set_instantiation_argument(instance, &name, node).map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    /// The interface of an import under another name; under its own, wac would merge the two.
    fn renamed(&mut self, package: PackageId, import: &str, name: &str) -> Option<ItemKind> {
        let world = self.graph[package].ty();
        let types = self.graph.types_mut();
        let ItemKind::Instance(interface) = *types[world].imports.get(import)? else { return None };
        let mut interface = types[interface].clone();
        interface.id = Some(name.to_owned());
        Some(ItemKind::Instance(types.add_interface(interface)))
    }

    fn finish(mut self) -> Result<Vec<u8>, LoadError> {
        for name in names(&self.graph, self.main, Side::Exports) {
            let exported = self
                .graph
                .alias_instance_export(self.instance, &name)
                .map_err(|error| chain(&error))
                .and_then(|node| self.graph.export(node, &name).map_err(|error| chain(&error)));
            exported.map_err(|cause| self.error(cause))?;
        }
        self.graph.encode(EncodeOptions::default()).map_err(|error| self.error(chain(&error)))
    }

    fn error(&self, cause: String) -> LoadError {
        LoadError::component(self.id, cause)
    }
}

/// The import that stands in for a `wasi:filesystem/preopens` of the same version.
pub(crate) fn withheld_name(import: &Import) -> String {
    format!("{WITHHELD_PREOPENS}@{}", import.version().unwrap_or("0.0.0"))
}

fn satisfies(dependency: &Dependency, import: &Import) -> bool {
    import.package() == dependency.package
        && dependency.version.as_deref().is_none_or(|version| import.version() == Some(version))
}

fn register(graph: &mut CompositionGraph, name: &str, wasm: Vec<u8>) -> Result<PackageId, String> {
    let package =
        Package::from_bytes(name, None, wasm, graph.types_mut()).map_err(|error| format!("{error:#}"))?;
    graph.register_package(package).map_err(|error| chain(&error))
}

enum Side {
    Imports,
    Exports,
}

fn names(graph: &CompositionGraph, package: PackageId, side: Side) -> Vec<String> {
    let world = &graph.types()[graph[package].ty()];
    match side {
        Side::Imports => world.imports.keys().cloned().collect(),
        Side::Exports => world.exports.keys().cloned().collect(),
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
